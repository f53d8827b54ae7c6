//! The versions that Redis stores of creating writes, one field for each entry. They end with their session.

use std::time::Duration;

use token_cache_core::{
    AccountKey, BeginSession, CutoffTime, Entry, EntryAddress, EntryName, ErrorKind, EvictOptions,
    EvictTarget, IssuerKey, PutMode, PutResult, REMEMBERED_CREATIONS, ReadOptions, Result,
    SessionId, SessionRecord, SessionTimes, Timestamp, TokenStore, Version, WriteOptions,
};
use token_cache_integration_tests::servers::{RedisServer, Value};
use token_cache_redis::{RedisConfig, RedisStore};

use crate::hazards::common::redis;

const HOUR: Duration = Duration::from_secs(3_600);
const ADA: AccountKey = AccountKey::new(IssuerKey::from_bytes([1; 16]), [2; 16]);

async fn signs_in(store: &RedisStore, number: u8, now: Timestamp) -> Result<EntryAddress> {
    let session_id = SessionId::from_bytes([number; 16]);
    let times = SessionTimes {
        requested_at: now,
        auth_time: Timestamp::from_secs(1),
    };
    let record = SessionRecord::new(session_id, None, times, now + HOUR);
    let begin = BeginSession::new(record, now + HOUR, now);
    store.begin(&ADA, begin).await?;
    Ok(EntryAddress::new(
        ADA,
        session_id,
        EntryName::from_bytes([7; 16]),
    ))
}

async fn creates(store: &RedisStore, at: &EntryAddress, now: Timestamp) -> Result<PutResult> {
    let entry = Entry::new(*b"token", Version::mint()?, now + HOUR);
    let options = WriteOptions::at(now).mode(PutMode::Create);
    store.write(at, entry, options).await
}

/// Returns the account's hash, and its fields of a kind.
fn fields(redis: &RedisServer, kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for key in redis.cli(&["KEYS", "*"]).unwrap().items().unwrap() {
        let key = key.text().unwrap();
        if redis.cli(&["TYPE", key]).unwrap().text() != Some("hash") {
            continue;
        }
        for field in redis.cli(&["HKEYS", key]).unwrap().items().unwrap() {
            let Value::Bytes(name) = field else {
                panic!("a field has a name: {field:?}");
            };
            if name.starts_with(kind.as_bytes()) {
                found.push((key.to_owned(), name.clone()));
            }
        }
    }
    found
}

#[tokio::test]
async fn what_created_an_entry_is_bounded_and_ends_with_its_session() {
    let redis = redis();
    let config = RedisConfig::from_url(&redis.url()).unwrap();
    let store = RedisStore::connect(config).await.unwrap();
    let now = store.namespace().await.unwrap().time;
    let first = signs_in(&store, 1, now).await.unwrap();
    let second = signs_in(&store, 2, now).await.unwrap();
    for at in [&first, &second] {
        for _ in 0..REMEMBERED_CREATIONS + 6 {
            let written = creates(&store, at, now).await.unwrap();
            assert_eq!(written, PutResult::Stored);
            store.remove(at).await.unwrap();
        }
    }
    assert_eq!(fields(&redis, "e:"), []);
    let left = fields(&redis, "c:");
    assert_eq!(left.len(), 2);
    for (key, field) in &left {
        let length = redis
            .cli(&[b"HSTRLEN", key.as_bytes(), field.as_slice()])
            .unwrap();
        assert_eq!(length, Value::Int(8 * 64));
    }

    // Bytes of another writer are no empty list. They affect only creating writes.
    for (key, field) in &left {
        redis
            .cli(&[b"HSET", key.as_bytes(), field.as_slice(), b"garbage"])
            .unwrap();
    }
    let refused = creates(&store, &second, now).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
    let entry = Entry::new(*b"token", Version::mint().unwrap(), now + HOUR);
    let written = store.write(&second, entry, WriteOptions::at(now)).await;
    assert_eq!(written.unwrap(), PutResult::Stored);

    // The sign-out of one session removes its own fields, and that of an account all of them.
    let options = EvictOptions::at(now);
    let one = EvictTarget::Session(*first.session_id());
    assert!(store.evict(&ADA, one, options).await.unwrap().ended);
    let left = fields(&redis, "c:");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1[2..18], [2; 16]);
    let read = store.read(&second, ReadOptions::at(now)).await.unwrap();
    assert!(read.is_some());
    let all = EvictTarget::Account(CutoffTime::on_store_clock(now));
    assert!(store.evict(&ADA, all, options).await.unwrap().ended);
    assert_eq!(fields(&redis, "c:"), []);
}
