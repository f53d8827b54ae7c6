//! What the builder makes of a policy, on a store with a link and without.

use std::time::Duration;

use token_cache_core::{
    ErrorKind, MemoryStore, Result, Secret, TokenCache, TokenStore, local::CopyPolicy,
    test_util::FailingStore,
};

async fn opened(store: impl TokenStore, policy: CopyPolicy) -> Result<TokenCache> {
    TokenCache::builder(store)
        .secret(Secret::random().unwrap())
        .local_copies(policy)
        .open()
        .await
}

fn without_link() -> FailingStore {
    FailingStore::new(MemoryStore::new()).without_link()
}

#[tokio::test]
async fn with_a_link_the_builder_needs_no_more_than_the_policy() {
    let cache = opened(MemoryStore::new(), CopyPolicy::new()).await.unwrap();
    assert_eq!(cache.store().to_string(), "local(sealed(memory))");
}

#[tokio::test]
async fn without_a_link_the_age_must_be_said() {
    let error = opened(without_link(), CopyPolicy::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("?local_copies=5s"), "{error}");
    let five_seconds = CopyPolicy::new().max_age(Duration::from_secs(5));
    let with_a_lease = five_seconds.lease(Duration::from_secs(1));
    let error = opened(without_link(), with_a_lease).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(opened(without_link(), five_seconds).await.is_ok());
}

#[tokio::test]
async fn a_refused_policy_leaves_the_store_as_it_was() {
    let store = without_link();
    assert!(opened(store.clone(), CopyPolicy::new()).await.is_err());
    assert_eq!(store.namespace().await.unwrap().record, None);
}

#[tokio::test]
async fn a_policy_out_of_range_is_refused_before_anything_is_connected_to() {
    let connect = async { panic!("it connected") };
    let opened = token_cache_core::TokenCacheBuilder::connecting(connect)
        .secret(Secret::random().unwrap())
        .local_copies(CopyPolicy::new().max_entries(1))
        .open()
        .await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Misuse);
}
