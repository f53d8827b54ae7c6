use std::time::Duration;

use token_cache_core::{
    AcquireOptions, Acquired, CutoffTime, Entry, EvictOptions, EvictTarget, LockOwner,
    NotBeforeScope, RefreshLocks, SidIndex, TokenStore, Version,
};

use super::{Server, begin, elsewhere, entry, moment, now, put, signed_in};

#[tokio::test]
async fn a_server_reads_its_own_puts_at_once() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    put(&server.near_cache, &at, b"another").await;
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"another");
    server.near_cache.remove(&at).await.unwrap();
    assert!(server.read(&at).await.0.is_none());
}

#[tokio::test]
async fn a_write_fills_nothing() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    put(&server.near_cache, &at, b"another").await;
    assert_eq!(server.size().items, 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_read_at_once() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    server
        .store
        .lose_answers_with(token_cache_core::ErrorKind::TimedOut);
    let entry = Entry::new(
        *b"lost",
        Version::mint().unwrap(),
        moment() + Duration::from_secs(60),
    );
    let options = token_cache_core::WriteOptions::at(moment());
    assert!(server.near_cache.write(&at, entry, options).await.is_err());
    server.store.work();
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"lost");
}

#[tokio::test(start_paused = true)]
async fn a_read_during_a_write_leaves_nothing_when_the_write_is_done() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    // The answer of the read holds the value from before the write, and arrives after it.
    let reading = server.reading(&at).await;
    server.store.work();
    put(&server.near_cache, &at, b"another").await;
    assert_eq!(
        reading.await.unwrap().unwrap().unwrap().stored(),
        b"a token"
    );
    assert_eq!(server.read(&at).await.0.unwrap().stored(), b"another");
}

#[tokio::test]
async fn a_server_sees_its_own_sign_outs_at_once() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    let target = EvictTarget::Account(CutoffTime::on_store_clock(moment()));
    let options = EvictOptions::at(moment());
    server
        .near_cache
        .evict(at.account(), target, options)
        .await
        .unwrap();
    assert!(
        server
            .near_cache
            .read(&at, now())
            .await
            .unwrap_err()
            .is_signed_out()
    );
}

#[tokio::test]
async fn a_sign_out_of_many_accounts_drops_their_cached_entries() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    let other = entry(2, 1);
    begin(&memory, 2).await;
    put(&elsewhere(&memory).await, &other, b"of another").await;
    server.populates(&at).await;
    server.populates(&other).await;
    let (accounts, options) = ([*at.account()], EvictOptions::at(moment()));
    let sid_index = &server.near_cache;
    let evicted = sid_index
        .evict_accounts(&accounts, moment(), NotBeforeScope::Account, options)
        .await;
    assert!(evicted.iter().all(Result::is_ok));
    assert!(
        server
            .near_cache
            .read(&at, now())
            .await
            .unwrap_err()
            .is_signed_out()
    );
    assert!(server.hits(&other).await);
}

#[tokio::test]
async fn what_a_refresh_lock_found_fresher_is_read_from_then_on() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    let seen = server.read(&at).await.0.unwrap().version();
    put(&elsewhere(&memory).await, &at, b"refreshed elsewhere").await;
    assert!(server.hits(&at).await);
    let (owner, lease) = (LockOwner::mint().unwrap(), Duration::from_secs(1));
    let options = AcquireOptions::new(owner, lease, moment()).seen(seen);
    let locks = &server.near_cache;
    let Acquired::Fresher(fresher) = locks.acquire(&at, options).await.unwrap() else {
        panic!("the stored version differs from the one seen, so it must be returned");
    };
    assert_eq!(server.read(&at).await.0, Some(fresher));
}

#[tokio::test]
async fn a_session_that_a_refusal_ended_is_ended_here_at_once() {
    let (memory, at) = signed_in().await;
    let server = Server::new(&memory).await;
    server.populates(&at).await;
    let version = server.read(&at).await.0.unwrap().version();
    let locks = &server.near_cache;
    let options = EvictOptions::at(moment());
    assert!(locks.end_if_version(&at, version, options).await.unwrap());
    assert!(
        server
            .near_cache
            .read(&at, now())
            .await
            .unwrap_err()
            .is_signed_out()
    );
}
