use std::{error::Error as _, time::Duration};

use token_cache_core::{
    EntryKey, ErrorKind, MemoryStore, RefreshError, RefreshErrorKind, RefreshPolicy, Timestamp,
    TokenSet, test_util::ManualClock,
};

use super::{
    access_token, api, assert_unlocked, due,
    provider::{Behaviour, Provider},
    refresh_token, server, server_with, signed_in, stored,
};

#[tokio::test]
async fn an_invalid_grant_ends_the_session_and_says_why() {
    let provider = Provider::new();
    let (_, cache, session) = due(&provider).await;
    let other = signed_in(&cache).await;
    provider.next(Behaviour::Fail(RefreshError::of_code("invalid_grant")));
    let ended = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert!(ended.is_signed_out());
    let reason = ended
        .source()
        .unwrap()
        .downcast_ref::<RefreshError>()
        .unwrap();
    assert_eq!(reason.kind(), RefreshErrorKind::InvalidGrant);
    assert!(session.get(&api()).await.unwrap_err().is_signed_out());
    assert!(other.get(&api()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_grant_for_tokens_that_were_replaced_meanwhile_ends_nothing() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.next(Behaviour::Fail(RefreshError::of_code("invalid_grant")));
    provider.hold();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    session
        .put(&api(), TokenSet::new("put").unwrap())
        .await
        .unwrap();
    provider.go_on();
    assert_eq!(access_token(&refreshing.await.unwrap().unwrap()), "put");
    assert_eq!(access_token(&stored(&session).await), "put");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_in_between_wins() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.hold();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    session
        .put(&api(), TokenSet::new("put").unwrap())
        .await
        .unwrap();
    provider.go_on();
    assert_eq!(access_token(&refreshing.await.unwrap().unwrap()), "put");
    assert_eq!(access_token(&stored(&session).await), "put");
}

/// Other callers put expired tokens repeatedly while the provider is called.
#[tokio::test(start_paused = true)]
async fn a_provider_whose_answers_are_overtaken_is_not_asked_without_a_pause() {
    let provider = Provider::new();
    let session = signed_in(&server(MemoryStore::new()).await).await;
    session.put(&api(), provider.expired()).await.unwrap();
    let source = {
        use token_cache_core::TokenSource;
        let (session, provider) = (session.clone(), provider.clone());
        move |request| {
            let (session, provider) = (session.clone(), provider.clone());
            async move {
                session.put(&api(), provider.expired()).await?;
                provider.refresh(request).await
            }
        }
    };
    let overtaken = session.get_or_refresh(&api(), source).await.unwrap_err();
    assert_eq!(overtaken.kind(), ErrorKind::TimedOut);
    assert!(provider.calls() < 250, "{} calls", provider.calls());
}

#[tokio::test]
async fn a_refusal_of_the_app_ends_nothing() {
    for code in [
        "invalid_client",
        "unauthorized_client",
        "invalid_scope",
        "of their own",
    ] {
        let provider = Provider::new();
        let (store, _, session) = due(&provider).await;
        provider.next(Behaviour::Fail(RefreshError::of_code(code)));
        let refused = session
            .get_or_refresh(&api(), provider.clone())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ProviderRefused, "{code}");
        assert_unlocked(&store, &session).await;
        assert_eq!(refresh_token(&stored(&session).await), "rt-0");
        assert!(provider.is_live("rt-0"));
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_left_alone_for_as_long_as_it_asks() {
    let provider = Provider::new();
    let (store, _, session) = due(&provider).await;
    let pause = Duration::from_secs(3600);
    provider.next(Behaviour::Fail(
        RefreshError::transient("503").retry_after(pause),
    ));
    for _ in 0..3 {
        let down = session
            .get_or_refresh(&api(), provider.clone())
            .await
            .unwrap_err();
        assert_eq!(down.kind(), ErrorKind::ProviderUnavailable);
        assert!(down.is_retryable());
        assert_eq!(down.retry_after(), Some(pause));
        assert_unlocked(&store, &session).await;
    }
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn a_provider_that_asks_for_eternity_is_left_alone_all_the_same() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    provider.next(Behaviour::Fail(
        RefreshError::transient("503").retry_after(Duration::MAX),
    ));
    for _ in 0..2 {
        let down = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(down.unwrap_err().kind(), ErrorKind::ProviderUnavailable);
    }
    assert_eq!(provider.calls(), 1);
}

/// Another server may have refreshed in between, and its tokens may have expired as well.
#[tokio::test]
async fn a_failure_says_nothing_about_tokens_that_came_after_it() {
    let provider = Provider::new();
    let mut policy = RefreshPolicy::default();
    policy.pause = Duration::from_secs(300);
    let cache = server_with(MemoryStore::new(), policy).await;
    let session = signed_in(&cache).await;
    session.put(&api(), provider.expired()).await.unwrap();
    provider.next(Behaviour::Fail(RefreshError::transient("503")));
    for _ in 0..2 {
        let down = session.get_or_refresh(&api(), provider.clone()).await;
        assert_eq!(down.unwrap_err().kind(), ErrorKind::ProviderUnavailable);
    }
    assert_eq!(provider.calls(), 1);
    session.put(&api(), provider.expired()).await.unwrap();
    let tokens = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(access_token(&tokens.unwrap()), "at-2");
}

#[tokio::test]
async fn after_its_pause_a_provider_is_asked_again() {
    let mut policy = RefreshPolicy::default();
    policy.pause = Duration::from_millis(10);
    let cache = server_with(MemoryStore::new(), policy).await;
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    session.put(&api(), provider.expired()).await.unwrap();
    provider.next(Behaviour::Fail(RefreshError::transient("503")));
    let down = session.get_or_refresh(&api(), provider.clone()).await;
    assert_eq!(down.unwrap_err().kind(), ErrorKind::ProviderUnavailable);
    let tokens = loop {
        if let Ok(tokens) = session.get_or_refresh(&api(), provider.clone()).await {
            break tokens;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((access_token(&tokens), provider.calls()), ("at-1", 2));
}

#[tokio::test]
async fn while_the_provider_is_down_old_tokens_are_served_until_they_expire() {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_secs(1_000));
    let cache = server(MemoryStore::with_clock(clock.clone())).await;
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    let tokens = provider
        .expired()
        .with_expires_at(Timestamp::from_secs(1_003));
    session.put(&api(), tokens).await.unwrap();
    provider.next(Behaviour::Fail(
        RefreshError::transient("503").retry_after(Duration::from_secs(60)),
    ));
    let served = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!((access_token(&served), provider.calls()), ("at-0", 1));
    clock.advance(Duration::from_secs(3));
    let expired = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert_eq!(expired.kind(), ErrorKind::ProviderUnavailable);
}

#[tokio::test]
async fn a_panic_in_the_source_is_an_error_and_nothing_else() {
    let provider = Provider::new();
    let (store, _, session) = due(&provider).await;
    provider.next(Behaviour::Panic);
    let panicked = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert_eq!(panicked.kind(), ErrorKind::Unexpected);
    assert_unlocked(&store, &session).await;
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!(access_token(&tokens), "at-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_never_returns_is_given_up() {
    let mut policy = RefreshPolicy::default();
    policy.provider_timeout = Duration::from_secs(1);
    let store = MemoryStore::new();
    let cache = server_with(store.clone(), policy).await;
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    session.put(&api(), provider.expired()).await.unwrap();
    provider.hold();
    let waiters = [(); 10].map(|()| {
        let (session, provider) = (session.clone(), provider.clone());
        tokio::spawn(async move { session.get_or_refresh(&api(), provider).await })
    });
    for waiter in waiters {
        let given_up = waiter.await.unwrap().unwrap_err();
        assert_eq!(given_up.kind(), ErrorKind::ProviderUnavailable);
    }
    assert_unlocked(&store, &session).await;
    assert_eq!(
        (provider.calls(), refresh_token(&stored(&session).await)),
        (1, "rt-0")
    );
}

#[tokio::test]
async fn without_a_refresh_token_there_is_nothing_to_refresh_with() {
    let cache = server(MemoryStore::new()).await;
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    let nothing = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap_err();
    assert_eq!(
        (nothing.kind(), provider.calls()),
        (ErrorKind::NotRefreshable, 0)
    );
    let bytes = EntryKey::new("bytes").unwrap();
    session.put(&bytes, b"no tokens".to_vec()).await.unwrap();
    let corrupt = session
        .get_or_refresh(&bytes, provider.clone())
        .await
        .unwrap_err();
    assert_eq!((corrupt.kind(), provider.calls()), (ErrorKind::Corrupt, 0));
}
