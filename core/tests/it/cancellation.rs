//! A sign-in or sign-out continues when its caller is dropped (G4).

#![cfg(feature = "test-util")]

use std::{future::Future, pin::pin, task::Context, time::Duration};

use token_cache_core::{
    AccountId, EntryKey, ErrorKind, LogoutMessage, MemoryStore, Secret, SignIn, Timestamp,
    TokenCache, test_util::FailingStore,
};

fn ada() -> AccountId {
    AccountId::new("https://id.example", "ada").unwrap()
}

/// Polls a future at most `times` times and drops it. Returns `true` if it was ready by then.
fn poll_and_drop<F: Future>(future: F, times: usize) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(std::task::Waker::noop());
    (0..times).any(|_| future.as_mut().poll(&mut context).is_ready())
}

#[tokio::test]
async fn a_sign_out_once_begun_is_carried_out() {
    let cache = TokenCache::in_memory().await.unwrap();
    for polls in 1..4 {
        let started = cache.start_sign_in().unwrap();
        let session = cache.sign_in(SignIn::new(ada(), &started)).await.unwrap();
        let key = EntryKey::new("api").unwrap();
        session.put(&key, b"token".to_vec()).await.unwrap();
        let _ = poll_and_drop(session.sign_out(), polls);
        // The task continues whatever the caller received, so wait for its effect instead of a time.
        while session.get(&key).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(session.get(&key).await.unwrap_err().is_signed_out());
    }
}

#[tokio::test]
async fn a_sign_in_once_begun_is_carried_out() {
    let cache = TokenCache::in_memory().await.unwrap();
    let started = cache.start_sign_in().unwrap();
    let _ = poll_and_drop(cache.sign_in(SignIn::new(ada(), &started)), 1);
    while cache.sessions(&ada()).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(cache.sessions(&ada()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_failed_sign_out_is_an_error_and_never_ok() {
    let store = FailingStore::new(MemoryStore::new());
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let started = cache.start_sign_in().unwrap();
    let session = cache.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    for kind in [
        ErrorKind::Unavailable,
        ErrorKind::TimedOut,
        ErrorKind::Denied,
    ] {
        store.fail_with(kind);
        assert_eq!(
            cache.sign_out_account(&ada()).await.unwrap_err().kind(),
            kind
        );
        store.work();
        assert!(cache.resume(&session.ticket().unwrap()).await.is_ok());
    }
    store.lose_answers_with(ErrorKind::TimedOut);
    let lost = cache.sign_out_account(&ada()).await.unwrap_err();
    assert!(lost.may_have_applied() && lost.is_retryable());
    store.work();
    assert!(
        !cache.sign_out_account(&ada()).await.unwrap().ended,
        "the lost one had ended it"
    );
}

/// A send whose answer was lost may arrive later, so the next send has its own ticket secret and removes the earlier session by
/// id.
#[tokio::test]
async fn a_sign_in_whose_answers_are_lost_leaves_one_session_at_the_most() {
    let store = FailingStore::new(MemoryStore::new());
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let started = cache.start_sign_in().unwrap();
    store.lose_answers_with(ErrorKind::TimedOut);
    let error = cache
        .sign_in(SignIn::new(ada(), &started))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    store.work();
    assert_eq!(cache.sessions(&ada()).await.unwrap().len(), 1);
}

/// The index knows that the `sid` is signed out; the eviction fails.
#[tokio::test(start_paused = true)]
async fn a_sign_out_by_sid_that_fails_half_way_says_that_it_may_have_applied() {
    let store = FailingStore::new(MemoryStore::new());
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let sign_in = SignIn::new(ada(), &cache.start_sign_in().unwrap());
    cache.sign_in(sign_in.sid("one").unwrap()).await.unwrap();

    store.answer_late(Duration::from_secs(1));
    let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(2_000_000_000));
    let message = message.unwrap().sid("one").unwrap();
    let before = store.requests();
    let sign_out = tokio::spawn({
        let cache = cache.clone();
        async move { cache.sign_out_by(&message).await }
    });
    while store.requests() == before {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    store.fail_with(ErrorKind::Unavailable);
    let error = sign_out.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.may_have_applied(), "{error}");
    store.work();
    let again = SignIn::new(ada(), &cache.start_sign_in().unwrap());
    let refused = cache.sign_in(again.sid("one").unwrap()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SignInRevoked);
}
