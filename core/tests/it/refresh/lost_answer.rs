use std::time::Duration;

use token_cache_core::{
    AfterLostAnswer, ErrorKind, MemoryStore, RefreshError, RefreshPolicy, RefreshRequest, Session,
    TokenSet,
    test_util::{FailingStore, address_of},
};

use super::{
    access_token, api,
    freed_by_version::FreedByVersion,
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

/// Retries until the pause of the provider has ended.
async fn settled(session: &Session, provider: &Provider) -> token_cache_core::Result<TokenSet> {
    loop {
        match session.get_or_refresh(&api(), provider.clone()).await {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ProviderUnavailable | ErrorKind::ProviderMalformed
                ) =>
            {
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

/// The provider used the token up, and its answer cannot be read.
#[tokio::test]
async fn an_answer_that_can_not_be_read_is_as_good_as_lost() {
    for response in ["{\"access_token\":\"\",\"token_type\":\"Bearer\"}", "{}"] {
        let provider = Provider::new();
        let session = due(AfterLostAnswer::EndSession, &provider).await;
        let answer = move |request: RefreshRequest| async move {
            let response: serde_json::Value = serde_json::from_str(response).unwrap();
            Ok(TokenSet::from_response(&response, request.sent_at)?)
        };
        let malformed = session.get_or_refresh(&api(), answer).await.unwrap_err();
        assert_eq!(malformed.kind(), ErrorKind::ProviderMalformed);
        let ended = settled(&session, &provider).await.unwrap_err();
        assert!(ended.is_signed_out());
        assert_eq!(provider.calls(), 0);
    }
}

/// The store fails between the record that the token is sent and the call.
#[tokio::test(start_paused = true)]
async fn a_token_that_was_marked_and_not_sent_loses_its_mark() {
    // Each request takes long enough that the namespace is read again before the next.
    let late = Duration::from_secs(4);
    let mut policy = RefreshPolicy::default();
    policy.after_lost_answer = AfterLostAnswer::EndSession;
    policy.lease = Duration::from_secs(60);
    let inner = FreedByVersion::default();
    let store = FailingStore::new(inner.clone());
    let session = signed_in(&server_with(store.clone(), policy).await).await;
    let provider = Provider::new();
    session.put(&api(), provider.expired()).await.unwrap();
    let at = address_of(&session, &api()).unwrap();
    store.answer_late(late);
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    // The lock is held, released by the record, and held again.
    for held in [true, false, true] {
        while inner.is_held(&at) != held {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    store.fail_with(ErrorKind::Unavailable);
    tokio::time::sleep(late * 2).await;
    store.work();
    let _ = refreshing.await.unwrap();
    let tokens = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(access_token(&tokens.unwrap()), "at-1");
    assert_eq!((provider.calls(), provider.reused()), (1, 0));
}
