use token_cache_core::{Invalidation, near_cache::NearCacheSize};
use token_cache_near_cache::NearCacheConfig;

use super::{LEASE, MAX_AGE, NANO, Server, almost, elsewhere, publish, signed_in};

#[tokio::test]
async fn without_a_lease_every_read_asks_and_nothing_is_kept() {
    let (memory, at) = signed_in().await;
    let server = Server::without_lease(&memory, NearCacheConfig::new());
    for _ in 0..2 {
        let (read, asked) = server.read(&at).await;
        assert!(read.is_some() && asked);
    }
    assert_eq!(server.size().items, 0);
}

#[tokio::test]
async fn a_cached_entry_is_served_to_the_last_moment_of_the_lease() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server.clock.advance(almost(LEASE));
    assert!(server.hits(&at).await);
    server.clock.advance(NANO);
    assert!(!server.hits(&at).await);
    // The server received every message in between, so its entries are valid under the next lease.
    server.renew().await;
    assert!(server.hits(&at).await);
}

#[tokio::test]
async fn a_new_connection_serves_nothing_of_before() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server.connect().await;
    assert!(!server.hits(&at).await);
    server.renew().await;
    assert!(!server.hits(&at).await);
    assert!(server.hits(&at).await);
}

#[tokio::test]
async fn a_cached_entry_dies_of_age_whatever_the_lease() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    for _ in 0..60 {
        assert!(server.hits(&at).await);
        server.clock.advance(MAX_AGE / 60);
        server.renew().await;
    }
    assert!(!server.hits(&at).await);
}

#[tokio::test]
async fn a_put_elsewhere_is_read_when_it_was_published() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    super::put(&elsewhere(&memory).await, &at, b"another").await;
    publish(&memory, 1).await;
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"another");
}

#[tokio::test]
async fn everything_goes_when_everything_is_published() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server.near_cache.forget(&Invalidation::Everything);
    assert_eq!(server.size(), NearCacheSize::default());
    assert!(!server.hits(&at).await);
}
