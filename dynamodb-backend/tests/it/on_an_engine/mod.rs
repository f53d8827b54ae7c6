//! Tests beyond the conformance suite: the number of requests, the checks of the table, and unreadable items.

mod clock;
mod connect;
mod creations;
mod foreign;
mod locks;
mod near_cache;
mod requests;
mod table;

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use token_cache_core::{
    AccountKey, BeginSession, Entry, EntryAddress, EntryName, IssuerKey, PutMode, PutResult,
    SessionId, SessionRecord, SessionTimes, Timestamp, TokenStore, Version, WriteOptions,
};

use crate::engine::Engine;

fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    *ENGINE.get_or_init(|| Engine::start().unwrap())
}

/// Returns bytes that are unique in this process.
fn fresh() -> [u8; 16] {
    static LAST: AtomicU64 = AtomicU64::new(1);
    let mut name = [0xA5; 16];
    name[..8].copy_from_slice(&LAST.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    name
}

fn account() -> AccountKey {
    AccountKey::new(IssuerKey::from_bytes([1; 16]), fresh())
}

const LIFETIME: Duration = Duration::from_hours(1);

async fn now(store: &dyn TokenStore) -> Timestamp {
    store.namespace().await.unwrap().time
}

fn session(now: Timestamp) -> BeginSession {
    let time = now - Duration::from_mins(1);
    let times = SessionTimes {
        requested_at: time,
        auth_time: time,
    };
    let record = SessionRecord::new(SessionId::from_bytes(fresh()), None, times, now + LIFETIME);
    BeginSession::new(record, now + Duration::from_mins(15), now)
}

async fn signs_in(store: &dyn TokenStore, account: &AccountKey, now: Timestamp) -> SessionId {
    let session = session(now);
    let session_id = session.record.session_id;
    store.begin(account, session).await.unwrap();
    session_id
}

fn entry_of(account: AccountKey, session_id: SessionId) -> EntryAddress {
    EntryAddress::new(account, session_id, EntryName::from_bytes(fresh()))
}

async fn puts(store: &dyn TokenStore, at: &EntryAddress, mode: PutMode, now: Timestamp) -> Version {
    let version = Version::mint().unwrap();
    let entry = Entry::new(*b"token", version, now + LIFETIME);
    let options = WriteOptions::at(now).mode(mode);
    let written = store.write(at, entry, options).await.unwrap();
    assert_eq!(written, PutResult::Stored);
    version
}
