use std::time::Duration;

use token_cache_core::{
    AfterLostAnswer, ErrorKind, MemoryStore, RefreshError, RefreshPolicy, Session,
};

use super::{
    access_token, api,
    provider::{Behaviour, Provider},
    refresh_token, server_with, signed_in, stored,
};

async fn due(after: AfterLostAnswer, provider: &Provider) -> Session {
    let mut policy = RefreshPolicy::default();
    policy.after_lost_answer = after;
    policy.lease = Duration::from_secs(1);
    policy.pause = Duration::from_millis(10);
    let cache = server_with(MemoryStore::new(), policy).await;
    let session = signed_in(&cache).await;
    session.put(&api(), provider.expired()).await.unwrap();
    session
}

/// Asks until the provider is no longer left alone.
async fn settled(
    session: &Session,
    provider: &Provider,
) -> token_cache_core::Result<token_cache_core::TokenSet> {
    loop {
        match session.get_or_refresh(&api(), provider.clone()).await {
            Err(error) if error.kind() == ErrorKind::ProviderUnavailable => {
                tokio::task::yield_now().await;
            }
            settled => return settled,
        }
    }
}

#[tokio::test]
async fn by_default_the_token_is_sent_once_more() {
    let provider = Provider::new();
    let session = due(AfterLostAnswer::SendAgain, &provider).await;
    provider.next(Behaviour::Fail(
        RefreshError::transient("cut off").answer_lost(),
    ));
    assert_eq!(
        access_token(&settled(&session, &provider).await.unwrap()),
        "at-1"
    );
    assert_eq!(provider.calls(), 2);
}

#[tokio::test]
async fn by_option_the_session_ends_and_the_token_is_not_sent_again() {
    let provider = Provider::new();
    let session = due(AfterLostAnswer::EndSession, &provider).await;
    provider.next(Behaviour::Fail(
        RefreshError::transient("cut off").answer_lost(),
    ));
    assert!(
        settled(&session, &provider)
            .await
            .unwrap_err()
            .is_signed_out()
    );
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_provider_that_answered_is_left_alone_all_the_same() {
    let mut policy = RefreshPolicy::default();
    policy.after_lost_answer = AfterLostAnswer::EndSession;
    policy.pause = Duration::from_secs(300);
    let provider = Provider::new();
    let cache = server_with(MemoryStore::new(), policy).await;
    let session = signed_in(&cache).await;
    session.put(&api(), provider.expired()).await.unwrap();
    provider.next(Behaviour::Fail(RefreshError::transient("503")));
    for _ in 0..3 {
        let down = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(down.unwrap_err().kind(), ErrorKind::ProviderUnavailable);
    }
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn an_answer_that_came_lets_the_token_be_sent_again() {
    let provider = Provider::new();
    let session = due(AfterLostAnswer::EndSession, &provider).await;
    provider.next(Behaviour::Fail(RefreshError::transient("503")));
    assert_eq!(
        access_token(&settled(&session, &provider).await.unwrap()),
        "at-1"
    );
    let stored = stored(&session).await;
    assert_eq!((refresh_token(&stored), provider.calls()), ("rt-1", 2));
}
