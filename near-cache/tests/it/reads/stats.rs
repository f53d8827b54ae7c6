use std::time::Duration;

use token_cache_core::{
    AccountId, EntryKey, MemoryStore, Secret, SignIn, TokenCache,
    near_cache::NearCacheStats,
    test_util::{FailingStore, RuntimeBootTime},
};
use token_cache_near_cache::NearCacheConfig;

use super::{LEASE, MAX_AGE};

const A_WHILE: Duration = Duration::from_millis(10);

async fn cache(store: FailingStore, policy: Option<NearCacheConfig>) -> TokenCache {
    let builder = TokenCache::builder(store)
        .secret(Secret::random().unwrap())
        .boot_time(RuntimeBootTime::new());
    let builder = match policy {
        Some(policy) => builder.near_cache(policy),
        None => builder,
    };
    builder.open().await.unwrap()
}

fn lease_left(cache: &TokenCache) -> Duration {
    cache.near_cache().unwrap().lease_left.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_cache_tells_what_it_keeps_and_for_how_long_it_may_serve_it() {
    let store = FailingStore::new(MemoryStore::new());
    let cache = cache(store.clone(), Some(NearCacheConfig::new().lease(LEASE))).await;
    assert_eq!(lease_left(&cache), Duration::ZERO);
    while lease_left(&cache).is_zero() {
        tokio::time::sleep(A_WHILE).await;
    }
    assert!(lease_left(&cache) <= LEASE);

    let ada = AccountId::new("https://id.example", "ada").unwrap();
    let started = cache.start_sign_in().unwrap();
    let session = cache.sign_in(SignIn::new(ada, &started)).await.unwrap();
    let key = EntryKey::new("api").unwrap();
    session.put(&key, b"tokens".as_slice()).await.unwrap();
    // The invalidation of the put is sent to this server too, and may arrive after a read.
    while cache.near_cache().unwrap().size.items == 0 {
        session.get(&key).await.unwrap();
        tokio::time::sleep(A_WHILE).await;
    }

    store.cut_backplane();
    while !lease_left(&cache).is_zero() {
        tokio::time::sleep(A_WHILE).await;
    }
    store.work();
    while lease_left(&cache).is_zero() {
        tokio::time::sleep(A_WHILE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_backplane_there_is_no_lease_and_without_a_near_cache_there_are_no_figures() {
    let unlinked = || FailingStore::new(MemoryStore::new()).without_backplane();
    let keeps = cache(unlinked(), Some(NearCacheConfig::new().max_age(MAX_AGE))).await;
    assert_eq!(keeps.near_cache(), Some(NearCacheStats::default()));
    let keeps_none = cache(unlinked(), None).await;
    assert_eq!(keeps_none.near_cache(), None);
}
