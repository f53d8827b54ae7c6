//! A store without a link: copies die of age alone.

use token_cache_core::{ErrorKind, MemoryStore, Secret, TokenCache, local::CopyPolicy};

#[tokio::test]
async fn with_a_link_the_builder_needs_no_more_than_the_policy() {
    let cache = TokenCache::builder(MemoryStore::new())
        .secret(Secret::random().unwrap())
        .local_copies(CopyPolicy::new())
        .open()
        .await
        .unwrap();
    assert_eq!(cache.store().to_string(), "local(sealed(memory))");
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
