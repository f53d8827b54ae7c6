//! Sealed data opens at its own address only, and only with the keys of the ring (G5).

#![cfg(feature = "test-util")]

mod environment;
mod misuse;
mod offline_attacker;
mod provider;
mod rings;
mod rotation;
mod sign_outs;

use token_cache_core::{
    AccountId, Entry, EntryAddress, EntryKey, KeyRing, MemoryStore, ReadOptions, RingKey, Secret,
    Session, SignIn, Timestamp, TokenCache, TokenStore, test_util::address_of,
};

fn ada() -> AccountId {
    AccountId::new("https://id.example", "ada").unwrap()
}

fn api() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// Returns a key of 32 bytes that look random.
fn key(name: &str, seed: u8) -> RingKey {
    let bytes: Vec<u8> = (0..32_u8)
        .map(|n| n.wrapping_mul(89).wrapping_add(seed))
        .collect();
    RingKey::new(name, bytes).unwrap()
}

fn of_secret() -> KeyRing {
    KeyRing::sealing_with(RingKey::of_secret())
}

fn secret() -> Secret {
    Secret::new(*b"the secret of every test in here").unwrap()
}

/// Returns a server over the shared store.
async fn server(store: &MemoryStore, ring: KeyRing) -> TokenCache {
    TokenCache::builder(store.clone())
        .secret(secret())
        .key_ring(ring)
        .open()
        .await
        .unwrap()
}

async fn signed_in(cache: &TokenCache) -> Session {
    let started = cache.start_sign_in().unwrap();
    cache.sign_in(SignIn::new(ada(), &started)).await.unwrap()
}

/// Returns an entry as it is stored.
async fn stored(store: &MemoryStore, at: &EntryAddress) -> Entry {
    let now = ReadOptions::at(Timestamp::default());
    store.read(at, now).await.unwrap().unwrap()
}

/// Returns the entry of a session as it is stored, and its address.
async fn sealed(store: &MemoryStore, session: &Session) -> (EntryAddress, Entry) {
    let at = address_of(session, &api()).unwrap();
    let entry = stored(store, &at).await;
    (at, entry)
}
