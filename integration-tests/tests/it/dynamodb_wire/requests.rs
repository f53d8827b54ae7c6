use std::time::Duration;

use token_cache_core::{
    AcquireOptions, Acquired, Entry, EntryKey, EvictOptions, EvictTarget, LockOwner, LogoutMessage,
    PutMode, PutResult, ReadOptions, RefreshLocks, Timestamp, TokenStore, Version, WriteOptions,
};

use token_cache_integration_tests::servers::ApiFault;

use super::setup::{ISSUER, Wire, account, later, store_time};

/// Each operation sends the requests that the documentation states.
#[tokio::test]
async fn every_operation_is_the_requests_that_are_documented() {
    let wire = Wire::patient().await;
    let key = EntryKey::resource("https://api.example").unwrap();
    wire.said();

    let session = wire.sign_in("ada", None).await;
    assert_eq!(wire.actions(), ["GetItem", "PutItem", "GetItem"], "sign-in");
    let with_sid = wire.sign_in("ada", Some("sid-1")).await;
    assert_eq!(
        wire.actions(),
        ["GetItem", "PutItem", "UpdateItem", "GetItem"],
        "sign-in with a sid"
    );
    session.put(&key, b"tokens".as_slice()).await.unwrap();
    assert_eq!(wire.actions(), ["UpdateItem", "GetItem"], "write");
    let read = session.get(&key).await.unwrap().unwrap();
    assert_eq!(wire.actions(), ["BatchGetItem"], "read");
    let mode = PutMode::Update(read.version());
    let written = session
        .put_if(&key, b"other".as_slice(), mode)
        .await
        .unwrap();
    assert_eq!(written, PutResult::Stored);
    assert_eq!(
        wire.actions(),
        ["UpdateItem", "GetItem"],
        "write that replaces a version"
    );
    let ticket = session.ticket().unwrap();
    wire.cache.resume(&ticket).await.unwrap();
    assert_eq!(wire.actions(), ["GetItem"], "ticket");
    session.remove(&key).await.unwrap();
    assert_eq!(wire.actions(), ["UpdateItem"], "removal");
    let written = session.put_if(&key, b"new".as_slice(), PutMode::Create);
    assert_eq!(written.await.unwrap(), PutResult::Stored);
    assert_eq!(wire.actions(), ["UpdateItem", "GetItem"], "creating write");
    wire.cache.sessions(&account("ada")).await.unwrap();
    assert_eq!(wire.actions(), ["GetItem"], "list of sessions");
    assert!(with_sid.sign_out().await.unwrap().ended);
    assert_eq!(
        wire.actions(),
        ["GetItem", "PutItem"],
        "one session's sign-out"
    );
    assert!(
        wire.cache
            .sign_out_account(&account("ada"))
            .await
            .unwrap()
            .ended
    );
    assert_eq!(wire.actions(), ["UpdateItem"], "an account's sign-out");
}

/// The store received the write twice, the second time late.
#[tokio::test]
async fn a_late_duplicate_of_a_creating_write_brings_nothing_back() {
    let wire = Wire::patient().await;
    let key = EntryKey::resource("https://api.example").unwrap();
    let session = wire.sign_in("ada", None).await;
    for replaced in [false, true] {
        wire.proxy
            .on_next_conditional(&["UpdateItem"], ApiFault::Duplicate);
        let written = session.put_if(&key, b"created".as_slice(), PutMode::Create);
        assert_eq!(written.await.unwrap(), PutResult::Stored);
        if replaced {
            session.put(&key, b"other".as_slice()).await.unwrap();
        }
        session.remove(&key).await.unwrap();
        assert_eq!(wire.proxy.deliver_duplicates().unwrap(), [400]);
        assert!(session.get(&key).await.unwrap().is_none());
    }
}

/// A write whose answer was lost is retried. The first attempt was carried out.
#[tokio::test]
async fn a_creating_write_whose_answer_is_lost_is_stored() {
    let wire = Wire::patient().await;
    let key = EntryKey::resource("https://api.example").unwrap();
    let session = wire.sign_in("ada", None).await;
    wire.said();
    wire.proxy.on_next(&["UpdateItem"], ApiFault::DropAnswer);
    let written = session.put_if(&key, b"created".as_slice(), PutMode::Create);
    assert_eq!(written.await.unwrap(), PutResult::Stored);
    assert_eq!(wire.actions(), ["UpdateItem", "UpdateItem", "GetItem"]);
    assert!(session.get(&key).await.unwrap().is_some());
}

/// The sign-out is one request, whatever the account contains.
#[tokio::test]
async fn an_accounts_sign_out_is_one_request_however_much_it_holds() {
    let wire = Wire::patient().await;
    for entries in [0, 1, 60] {
        let user = format!("user with {entries}");
        let session = wire.sign_in(&user, None).await;
        for entry in 0..entries {
            let key = EntryKey::resource(&format!("https://api-{entry}.example")).unwrap();
            session.put(&key, vec![b'x'; 2_000]).await.unwrap();
        }
        wire.said();
        let out = wire.cache.sign_out_account(&account(&user)).await.unwrap();
        assert!(out.ended);
        assert_eq!(wire.actions(), ["UpdateItem"], "{entries} entries");
    }
}

#[tokio::test]
async fn a_providers_message_is_one_request_and_by_sid_two() {
    let wire = Wire::patient().await;
    wire.sign_in("ada", Some("sid-1")).await;
    wire.sign_in("bob", Some("sid-2")).await;
    wire.said();
    let issued_at = Timestamp::from_secs(4_000_000_000);
    let message = || LogoutMessage::new(ISSUER, issued_at).unwrap();
    let out = wire
        .cache
        .sign_out_by(&message().subject("ada").unwrap())
        .await;
    assert!(out.unwrap().ended);
    assert_eq!(wire.actions(), ["UpdateItem"], "by subject");
    let out = wire
        .cache
        .sign_out_by(&message().sid("sid-2").unwrap())
        .await;
    assert!(out.unwrap().ended);
    assert_eq!(
        wire.actions(),
        ["UpdateItem", "GetItem", "PutItem"],
        "by sid: the index entry, then the one account"
    );
}

/// If a newer session has signed in, an eviction that must spare it reads first.
#[tokio::test]
async fn an_eviction_that_must_spare_newer_sessions_takes_three_requests() {
    let wire = Wire::patient().await;
    let at = wire.begin(1).await;
    let now = wire.now().await;
    wire.said();
    let before = EvictTarget::Account(store_time(Timestamp::from_millis(now.as_millis() - 60_000)));
    let evicted = wire
        .store
        .evict(at.account(), before, EvictOptions::at(now));
    assert!(!evicted.await.unwrap().ended);
    assert_eq!(wire.actions(), ["UpdateItem", "GetItem", "PutItem"]);
    let read = wire.store.read(&at, ReadOptions::at(now)).await;
    assert!(read.unwrap().is_none());
}

/// The requests: read, take the lock, write back.
#[tokio::test]
async fn an_uncontended_refresh_is_five_requests() {
    let wire = Wire::patient().await;
    let at = wire.begin(2).await;
    let now = wire.now().await;
    let ends_at = later(now, Duration::from_secs(600));
    let entry = |text: &str| Entry::new(text, Version::mint().unwrap(), ends_at);
    let first = entry("old");
    let written = wire.store.write(&at, first.clone(), WriteOptions::at(now));
    assert_eq!(written.await.unwrap(), PutResult::Stored);
    wire.said();

    let read = wire.store.read(&at, ReadOptions::at(now)).await.unwrap();
    let seen = read.unwrap().version();
    let owner = LockOwner::mint().unwrap();
    let lease = Duration::from_secs(10);
    let options = AcquireOptions::new(owner, lease, now).seen(seen);
    let acquired = wire.store.acquire(&at, options).await.unwrap();
    assert_eq!(acquired, Acquired::Held);
    let options = WriteOptions::at(now)
        .mode(PutMode::Update(seen))
        .releasing(owner);
    let written = wire.store.write(&at, entry("new"), options).await.unwrap();
    assert_eq!(written, PutResult::Stored);
    assert_eq!(
        wire.actions(),
        [
            "BatchGetItem",
            "PutItem",
            "BatchGetItem",
            "UpdateItem",
            "GetItem"
        ]
    );
    // The write has released the lock.
    let other = LockOwner::mint().unwrap();
    let options = AcquireOptions::new(other, lease, now);
    let acquired = wire.store.acquire(&at, options).await.unwrap();
    assert!(matches!(acquired, Acquired::Fresher(_)), "{acquired:?}");
}
