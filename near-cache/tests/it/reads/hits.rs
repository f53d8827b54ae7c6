use std::time::Duration;

use token_cache_core::{Entry, PutResult, ReadOptions, TokenStore, Version, WriteOptions};

use super::{
    Server, begin, elsewhere, entry, moment, now, put, session, sign_out_elsewhere, signed_in,
};

#[tokio::test]
async fn a_second_read_asks_nobody() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let (first, asked) = server.read(&at).await;
    assert!(asked);
    let (second, asked) = server.read(&at).await;
    assert!(!asked);
    assert_eq!(first.unwrap().stored(), second.unwrap().stored());
    assert!(server.lookup(&at, moment()).is_some());
}

#[tokio::test]
async fn a_session_is_served_as_well() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let (store, session_id) = (&server.near_cache, at.session_id());
    let first = store
        .session(at.account(), session_id, now())
        .await
        .unwrap();
    let before = server.requests();
    let second = store
        .session(at.account(), session_id, now())
        .await
        .unwrap();
    assert_eq!((first, server.requests()), (second, before));
}

#[tokio::test]
async fn a_sign_out_elsewhere_is_seen_at_once() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server
        .near_cache
        .session(at.account(), at.session_id(), now())
        .await
        .unwrap();
    sign_out_elsewhere(&memory, 1).await;
    assert!(server.lookup(&at, moment()).is_none());
    let read = server.near_cache.read(&at, now()).await;
    assert!(read.unwrap_err().is_signed_out());
    let resumed = server
        .near_cache
        .session(at.account(), at.session_id(), now())
        .await;
    assert!(resumed.unwrap_err().is_signed_out());
    assert_eq!(server.size().items, 0);
}

#[tokio::test]
async fn neither_a_miss_nor_an_ended_session_is_kept() {
    let (memory, _) = signed_in().await;
    let server = Server::new(&memory).await;
    let (absent, stranger) = (entry(1, 9), entry(2, 1));
    for _ in 0..2 {
        let (read, asked) = server.read(&absent).await;
        assert!(read.is_none() && asked);
        let before = server.requests();
        assert!(
            server
                .near_cache
                .read(&stranger, now())
                .await
                .unwrap_err()
                .is_signed_out()
        );
        assert!(server.requests() > before);
    }
    put(&elsewhere(&memory).await, &absent, b"put elsewhere").await;
    assert!(server.read(&absent).await.0.is_some());
    begin(&memory, 2).await;
    let begun = server
        .near_cache
        .session(stranger.account(), &session(2), now())
        .await;
    assert!(begun.is_ok());
}

#[tokio::test]
async fn an_error_is_not_kept_and_no_miss() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server
        .store
        .fail_with(token_cache_core::ErrorKind::Unavailable);
    assert!(
        server
            .near_cache
            .read(&at, now())
            .await
            .unwrap_err()
            .is_retryable()
    );
    server.store.work();
    assert!(server.read(&at).await.0.is_some());
}

#[tokio::test]
async fn an_entry_expires_and_a_session_ends_on_the_stores_clock() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let short = entry(1, 2);
    let soon = moment() + Duration::from_secs(10);
    let expires = Entry::new(*b"short", Version::mint().unwrap(), soon);
    let written = elsewhere(&memory)
        .await
        .write(&short, expires, WriteOptions::at(moment()))
        .await;
    assert_eq!(written.unwrap(), PutResult::Stored);
    server.populates(&short).await;
    server.populates(&at).await;
    server
        .near_cache
        .session(at.account(), at.session_id(), now())
        .await
        .unwrap();

    let read = |at, now| server.near_cache.read(at, ReadOptions::at(now));
    let millisecond = Duration::from_millis(1);
    assert!(read(&short, soon - millisecond).await.unwrap().is_some());
    assert!(read(&short, soon).await.unwrap().is_none());
    let end = moment() + Duration::from_secs(3_600);
    assert!(server.lookup(&at, end - millisecond).is_some());
    assert!(server.lookup(&at, end).is_none());
}

#[tokio::test]
async fn an_entry_that_would_outlive_its_session_is_not_served_past_its_end() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let end = moment() + Duration::from_secs(3_600);
    let outlives = Entry::new(
        *b"long",
        Version::mint().unwrap(),
        end + Duration::from_secs(60),
    );
    let written = elsewhere(&memory)
        .await
        .write(&at, outlives, WriteOptions::at(moment()))
        .await;
    assert_eq!(written.unwrap(), PutResult::Stored);
    server.populates(&at).await;
    let session = server
        .near_cache
        .session(at.account(), at.session_id(), now());
    session.await.unwrap();
    let read = |now| server.near_cache.read(&at, ReadOptions::at(now));
    assert!(read(end).await.unwrap_err().is_signed_out());
}
