use std::time::Duration;

use token_cache_core::near_cache::NearCacheSize;
use tokio::time::Instant;

use super::{MAX_AGE, NANO, Server, almost, begin, elsewhere, entry, memory, put, signed_in};

/// Expired entries are wiped even if they are never read again, well within the seconds that the documentation promises.
#[tokio::test(start_paused = true)]
async fn an_expired_entry_is_gone_within_seconds() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server.clock.advance(almost(MAX_AGE));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.size().items, 1);
    server.clock.advance(NANO);
    let died = Instant::now();
    while server.size().bytes > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(died.elapsed() <= Duration::from_secs(2));
    assert_eq!(server.size(), NearCacheSize::default());
}

#[tokio::test(start_paused = true)]
async fn of_an_accounts_cached_entries_only_the_dead_go() {
    let (memory, first) = signed_in().await;
    let server = Server::new(&memory).await;
    let second = entry(1, 2);
    put(&elsewhere(&memory).await, &second, b"another").await;
    server.populates(&first).await;
    server.clock.advance(MAX_AGE / 2);
    server.renew().await;
    server.populates(&second).await;
    server.clock.advance(MAX_AGE / 2);
    server.renew().await;
    while server.size().items > 1 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(server.hits(&second).await);
    assert!(!server.hits(&first).await);
}

#[test]
fn a_store_that_is_used_in_another_runtime_is_swept_there() {
    let runtime = || {
        let mut paused = tokio::runtime::Builder::new_current_thread();
        paused.enable_all().start_paused(true).build().unwrap()
    };
    let memory = memory();
    let at = entry(1, 1);
    let server = runtime().block_on(async {
        begin(&memory, 1).await;
        put(&elsewhere(&memory).await, &at, b"a token").await;
        let server = Server::new(&memory).await;
        server.populates(&at).await;
        server
    });
    server.clock.advance(MAX_AGE);
    runtime().block_on(async {
        server.renew().await;
        server.populates(&at).await;
        server.clock.advance(MAX_AGE);
        while server.size().items > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}
