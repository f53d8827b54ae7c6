//! The near-cache settings in the builder, on a store with a backplane and without one.

use std::time::Duration;

use token_cache_core::{
    ErrorKind, MemoryStore, Result, Secret, TokenCache, TokenStore, test_util::FailingStore,
};
use token_cache_near_cache::NearCacheConfig;

async fn opened(store: impl TokenStore, policy: NearCacheConfig) -> Result<TokenCache> {
    TokenCache::builder(store)
        .secret(Secret::random().unwrap())
        .near_cache(policy)
        .open()
        .await
}

fn without_backplane() -> FailingStore {
    FailingStore::new(MemoryStore::new()).without_backplane()
}

#[tokio::test]
async fn with_a_backplane_the_builder_needs_no_more_than_the_policy() {
    let cache = opened(MemoryStore::new(), NearCacheConfig::new())
        .await
        .unwrap();
    assert!(cache.near_cache().is_some());
}

#[tokio::test]
async fn without_a_backplane_the_age_must_be_said() {
    let error = opened(without_backplane(), NearCacheConfig::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("?near_cache=5s"), "{error}");
    let five_seconds = NearCacheConfig::new().max_age(Duration::from_secs(5));
    let with_a_lease = five_seconds.lease(Duration::from_secs(1));
    let error = opened(without_backplane(), with_a_lease).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(opened(without_backplane(), five_seconds).await.is_ok());
}

#[tokio::test]
async fn a_refused_policy_leaves_the_store_as_it_was() {
    let store = without_backplane();
    assert!(opened(store.clone(), NearCacheConfig::new()).await.is_err());
    assert_eq!(store.namespace().await.unwrap().record, None);
}

#[tokio::test]
async fn a_policy_out_of_range_is_refused_before_anything_is_connected_to() {
    let connect = async { panic!("it connected") };
    let opened = token_cache_core::TokenCacheBuilder::connecting(connect)
        .secret(Secret::random().unwrap())
        .near_cache(NearCacheConfig::new().max_entries(1))
        .open()
        .await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Misuse);
}
