use std::time::Duration;

use token_cache_core::{
    ErrorKind, MemoryStore, RefreshPolicy, Timestamp, TokenCache, test_util::ManualClock,
};

use super::{access_token, api, provider::Provider, server_with, signed_in, stored};

async fn ageing(
    policy: RefreshPolicy,
    provider: &Provider,
) -> (TokenCache, token_cache_core::Session) {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_secs(1_000));
    let cache = server_with(MemoryStore::with_clock(clock.clone()), policy).await;
    let session = signed_in(&cache).await;
    let tokens = provider
        .expired()
        .with_issued_at(Timestamp::from_secs(1_000))
        .with_expires_at(Timestamp::from_secs(2_000));
    session.put(&api(), tokens).await.unwrap();
    clock.advance(Duration::from_secs(950));
    (cache, session)
}

#[tokio::test]
async fn ageing_tokens_are_served_while_one_refresh_runs() {
    let provider = Provider::new();
    let (_cache, session) = ageing(RefreshPolicy::default(), &provider).await;
    provider.hold();
    for _ in 0..10 {
        let tokens = session
            .get_or_refresh(&api(), provider.clone())
            .await
            .unwrap();
        assert_eq!(access_token(&tokens), "at-0");
    }
    provider.called(1).await;
    provider.go_on();
    while access_token(&stored(&session).await) != "at-1" {
        tokio::task::yield_now().await;
    }
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!((access_token(&tokens), provider.calls()), ("at-1", 1));
}

#[tokio::test]
async fn over_the_bound_nothing_runs_in_the_background() {
    let mut policy = RefreshPolicy::default();
    policy.ahead = 0;
    let provider = Provider::new();
    let (_cache, session) = ageing(policy, &provider).await;
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((access_token(&tokens), provider.calls()), ("at-0", 0));
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_the_bound_says() {
    let mut policy = RefreshPolicy::default();
    policy.ahead = 2;
    let provider = Provider::new();
    let (cache, first) = ageing(policy, &provider).await;
    let mut sessions = vec![first];
    for _ in 1..5 {
        let session = signed_in(&cache).await;
        let tokens = provider
            .expired()
            .with_issued_at(Timestamp::from_secs(1_000))
            .with_expires_at(Timestamp::from_secs(2_000));
        session.put(&api(), tokens).await.unwrap();
        sessions.push(session);
    }
    provider.hold();
    for _ in 0..2 {
        for session in &sessions {
            let served = session.get_or_refresh(&api(), provider.clone()).await;
            assert!(served.is_ok());
        }
        // A paused clock advances only when no task can make progress.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(provider.calls(), 2);
    }
    provider.go_on();
    while provider.calls() < 5 {
        for session in &sessions {
            session
                .get_or_refresh(&api(), provider.clone())
                .await
                .unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(provider.most_at_once() <= 2);
}

#[tokio::test]
async fn a_bound_that_no_process_can_have_is_refused() {
    for ahead in [1_000_001, usize::MAX] {
        let mut policy = RefreshPolicy::default();
        policy.ahead = ahead;
        let opened = TokenCache::builder(MemoryStore::new()).refresh(policy);
        let refused = opened.open().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Misuse);
        assert!(
            refused.to_string().contains(&ahead.to_string()),
            "{refused}"
        );
    }
}
