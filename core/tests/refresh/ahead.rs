use std::time::Duration;

use token_cache_core::{MemoryStore, RefreshPolicy, Timestamp, TokenCache, test_util::ManualClock};

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
