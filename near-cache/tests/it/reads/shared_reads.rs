use std::time::Duration;

use token_cache_core::TokenStore;

use super::{LEASE, Server, elsewhere, entry, now, publish, put, sign_out_elsewhere, signed_in};

#[tokio::test(start_paused = true)]
async fn reads_of_one_entry_are_one_request() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let before = server.requests();
    let first = server.reading(&at).await;
    let others: Vec<_> = (0..20)
        .map(|_| {
            let (near_cache, at) = (server.near_cache.clone(), at);
            tokio::spawn(async move { near_cache.read(&at, now()).await })
        })
        .collect();
    for read in others.into_iter().chain([first]) {
        assert_eq!(read.await.unwrap().unwrap().unwrap().stored(), b"a token");
    }
    assert_eq!(server.requests(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn resumptions_of_one_session_are_one_request() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let before = server.requests();
    server.store.answer_late(Duration::from_secs(1));
    let resume = || {
        server
            .near_cache
            .session(at.account(), at.session_id(), now())
    };
    let (first, second) = tokio::join!(resume(), resume());
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(server.requests(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_a_sign_out_overtook_leaves_nothing() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let reading = server.reading(&at).await;
    sign_out_elsewhere(&memory, 1).await;
    // The read began before the sign-out returned, so it may return the token. No later read may.
    assert!(reading.await.unwrap().unwrap().is_some());
    assert_eq!(server.size().items, 0);
    assert!(
        server
            .near_cache
            .read(&at, now())
            .await
            .unwrap_err()
            .is_signed_out()
    );
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_an_invalidation_message_joins_no_read_of_before() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let before = server.reading(&at).await;
    sign_out_elsewhere(&memory, 1).await;
    let after = server.reading(&at).await;
    assert!(before.await.unwrap().unwrap().is_some());
    assert!(after.await.unwrap().unwrap_err().is_signed_out());
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_the_lease_has_run_out_joins_no_read() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let before = server.reading(&at).await;
    server.clock.advance(LEASE);
    let after = server.reading(&at).await;
    assert!(before.await.unwrap().unwrap().is_some());
    assert!(after.await.unwrap().unwrap().is_some());
    assert_eq!(server.size().items, 0);
}

#[tokio::test(start_paused = true)]
async fn a_put_since_a_joined_read_was_sent_is_not_missed() {
    let (memory, _) = signed_in().await;
    let server = Server::new(&memory).await;
    let at = entry(1, 9);
    let missing = server.reading(&at).await;
    put(&elsewhere(&memory).await, &at, b"put elsewhere").await;
    let later = tokio::spawn({
        let (near_cache, at) = (server.near_cache.clone(), at);
        async move { near_cache.read(&at, now()).await }
    });
    assert!(missing.await.unwrap().unwrap().is_none());
    assert!(later.await.unwrap().unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn of_two_reads_the_one_before_an_invalidation_message_takes_no_others_cached_entry_away() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let before = server.reading(&at).await;
    put(&elsewhere(&memory).await, &at, b"another").await;
    publish(&memory, 1).await;
    server.store.work();
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"another");
    assert_eq!(before.await.unwrap().unwrap().unwrap().stored(), b"a token");
    assert!(server.hits(&at).await);
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"another");
}
