use std::time::{Duration, Instant};

use token_cache::{
    AccountId, EntryKey, Result, Secret, SignIn, TokenCache,
    near_cache::{NearCacheConfig, NearCacheOutcome},
    redis::{RedisConfig, RedisStore},
};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

const GUARD: Duration = Duration::from_secs(40);

/// Signs a user in at `origin`, reads at `cache`, and signs the user out at `origin`. Returns whether `cache` acknowledged that its
/// near-cache entries were dropped.
async fn sign_in_and_out(origin: &TokenCache, cache: &TokenCache) -> Result<bool> {
    let ada = AccountId::new("https://id.example", "ada")?;
    let api = EntryKey::new("api")?;
    let session = origin.sign_in(SignIn::new(ada.clone(), &origin.start_sign_in()?));
    let session = session.await?;
    session.put(&api, b"token".to_vec()).await?;
    let there = cache.resume(&session.ticket()?).await?;
    assert!(there.get(&api).await?.is_some());
    let done = origin.sign_out_account(&ada).await?;
    match there.get(&api).await {
        Err(error) if error.is_signed_out() => {}
        Err(error) => return Err(error),
        Ok(_) => panic!("read after a sign-out"),
    }
    Ok(
        matches!(done.near_caches, NearCacheOutcome::Cleared { servers, .. } if servers == [cache.server_id()]),
    )
}

/// Repeats [`sign_in_and_out`] until it succeeds: connections that were killed are opened again.
async fn eventually(origin: &TokenCache, cache: &TokenCache) {
    let begun = Instant::now();
    loop {
        let done = sign_in_and_out(origin, cache).await;
        if matches!(done, Ok(true)) {
            return;
        }
        assert!(begun.elapsed() < GUARD, "{done:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_store_on_an_existing_client_opens_new_connections_when_its_own_are_killed_and_its_sign_outs_reach_others()
 {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let secret = Secret::random().unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let config = RedisConfig::from_url(&redis.url()).unwrap();
    let store = RedisStore::existing_client(client, &config).await.unwrap();
    let existing = TokenCache::builder(store).secret(secret.clone());
    let existing = existing.near_cache(NearCacheConfig::new());
    let existing = existing.open().await.unwrap();
    let other = token_cache::builder(&redis.url()).unwrap().secret(secret);
    let other = other.near_cache(NearCacheConfig::new());
    let other = other.open().await.unwrap();
    for round in 0..4 {
        if round > 0 {
            for kind in ["normal", "pubsub"] {
                redis.cli(&["CLIENT", "KILL", "TYPE", kind]).unwrap();
            }
        }
        eventually(&other, &existing).await;
        eventually(&existing, &other).await;
    }
}

#[tokio::test]
async fn settings_that_confirm_nothing_are_refused_before_any_request() {
    let mut config = RedisConfig::default();
    config.confirm_every_write = true;
    let closed = redis::Client::open("redis://127.0.0.1:1/").unwrap();
    let refused = RedisStore::existing_client(closed, &config).await;
    assert_eq!(refused.unwrap_err().kind(), token_cache::ErrorKind::Config);
}
