use std::time::Duration;

use token_cache_core::TokenStore;

use super::{Server, now, put, signed_in};

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_takes_nobodys_read_along() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let first = server.reading(&at).await;
    let (near_cache, sent) = (server.near_cache.clone(), server.requests());
    let second = tokio::spawn(async move { near_cache.read(&at, now()).await });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(second.await.unwrap().unwrap().is_some());
    assert_eq!(server.requests(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_read_whose_callers_all_went_away_leaves_its_cached_entry() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let reading = server.reading(&at).await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    while server.size().items == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.hits(&at).await);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_dropped_half_way_is_read_at_once() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server.store.answer_late(Duration::from_secs(60));
    let writing = put(&server.near_cache, &at, b"another");
    let dropped = tokio::time::timeout(Duration::from_secs(1), writing).await;
    assert!(dropped.is_err());
    server.store.work();
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"another");
}
