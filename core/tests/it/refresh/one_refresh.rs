use std::time::Duration;

use token_cache_core::{MemoryStore, RefreshPolicy, Timestamp, TokenSet, test_util::ManualClock};

use super::{
    access_token, api, due, provider::Provider, refresh_token, server, server_with, signed_in,
    stored,
};

#[tokio::test]
async fn fresh_tokens_ask_nobody() {
    let cache = server(MemoryStore::new()).await;
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    session
        .put(&api(), TokenSet::new("at").unwrap())
        .await
        .unwrap();
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!((access_token(&tokens), provider.calls()), ("at", 0));
}

#[tokio::test]
async fn due_tokens_are_refreshed_and_stored() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!(
        (access_token(&tokens), refresh_token(&tokens)),
        ("at-1", "rt-1")
    );
    assert_eq!(access_token(&stored(&session).await), "at-1");
    session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!(provider.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_on_many_servers_one_calls_the_provider() {
    let provider = Provider::new();
    let (store, cache, session) = due(&provider).await;
    let ticket = session.ticket().unwrap();
    provider.hold();
    let mut callers = tokio::task::JoinSet::new();
    for server in [cache, server(store.clone()).await, server(store).await] {
        let session = server.resume(&ticket).await.unwrap();
        for _ in 0..20 {
            let (session, provider) = (session.clone(), provider.clone());
            callers.spawn(async move { session.get_or_refresh(&api(), provider).await });
        }
    }
    provider.called(1).await;
    provider.go_on();
    while let Some(answered) = callers.join_next().await {
        assert_eq!(access_token(&answered.unwrap().unwrap()), "at-1");
    }
    assert_eq!((provider.calls(), provider.reused()), (1, 0));
}

/// Both clocks advance only when the test waits.
#[tokio::test(start_paused = true)]
async fn the_lock_is_renewed_while_the_provider_is_slow() {
    let mut policy = RefreshPolicy::default();
    policy.lease = Duration::from_secs(1);
    let provider = Provider::new();
    let clock = ManualClock::new();
    clock.set(Timestamp::from_secs(1_000));
    let store = MemoryStore::with_clock(clock.clone());
    let cache = server_with(store.clone(), policy).await;
    let session = signed_in(&cache).await;
    session.put(&api(), provider.expired()).await.unwrap();
    provider.hold();
    let ticket = session.ticket().unwrap();
    let leader = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&api(), provider).await }
    });
    provider.called(1).await;
    let other = server_with(store, policy)
        .await
        .resume(&ticket)
        .await
        .unwrap();
    let follower = tokio::spawn({
        let provider = provider.clone();
        async move { other.get_or_refresh(&api(), provider).await }
    });
    // Three leases pass. Without renewal, the follower would have taken the lock after one.
    for _ in 0..30 {
        clock.advance(policy.lease / 10);
        tokio::time::sleep(policy.lease / 10).await;
    }
    assert_eq!(provider.calls(), 1);
    provider.go_on();
    for task in [leader, follower] {
        assert_eq!(access_token(&task.await.unwrap().unwrap()), "at-1");
    }
    assert_eq!((provider.calls(), provider.reused()), (1, 0));
}

#[tokio::test]
async fn a_provider_that_does_not_rotate_leaves_the_refresh_token() {
    let provider = Provider::new();
    let (_, _, session) = due(&provider).await;
    let before = refresh_token(&stored(&session).await).to_owned();
    provider.next(super::provider::Behaviour::Answer(|request| {
        Ok(TokenSet::new("at-new")
            .unwrap()
            .with_expires_at(request.sent_at + Duration::from_secs(60)))
    }));
    let tokens = session
        .get_or_refresh(&api(), provider.clone())
        .await
        .unwrap();
    assert_eq!(
        (access_token(&tokens), refresh_token(&tokens)),
        ("at-new", &*before)
    );
    assert_eq!(refresh_token(&stored(&session).await), before);
}
