use std::{future::Future, pin::pin, task::Context};

use super::{access_token, api, due, provider::Provider, stored};

/// Polls a future at most `times` times and drops it. Returns `true` if it was ready by then.
fn poll_and_drop<F: Future>(future: F, times: usize) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(std::task::Waker::noop());
    (0..times).any(|_| future.as_mut().poll(&mut context).is_ready())
}

/// The memory store is ready at once, so the caller only waits for the refresh task. The caller is dropped before this point and
/// at it. Between polls, the refresh task advances by one step.
#[tokio::test]
async fn what_the_provider_gave_is_stored_though_the_caller_went_away() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.hold();
    assert!(!poll_and_drop(
        session.get_or_refresh(&api(), provider.clone()),
        1
    ));
    provider.called(1).await;
    provider.go_on();
    while access_token(&stored(&session).await) != "at-1" {
        tokio::task::yield_now().await;
    }
    assert_eq!((provider.calls(), provider.reused()), (1, 0));
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nobody_with_it() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.hold();
    let first = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    let second = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    provider.go_on();
    assert_eq!(access_token(&second.await.unwrap().unwrap()), "at-1");
    assert_eq!(provider.calls(), 1);
}
