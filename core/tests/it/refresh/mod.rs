//! A refresh: one in the whole fleet (G6), and none that writes after a sign-out (G2).

#![cfg(feature = "test-util")]

mod ahead;
mod another_entry;
mod answers;
mod cancellation;
mod end_of_life;
mod failures;
mod freed_by_version;
mod logged;
mod lost_answer;
mod one_refresh;
mod pauses;
pub(crate) mod provider;
mod rejected;
mod revocation_timeout;
mod sign_out;
mod store_away;

use std::time::Duration;

use token_cache_core::{
    AccountId, AcquireOptions, Acquired, EntryKey, ExposeSecret, LockOwner, MemoryStore,
    ReadOptions, RefreshLocks, RefreshPolicy, Secret, Session, SignIn, Timestamp, TokenCache,
    TokenSet, TokenStore, test_util::address_of,
};

use provider::Provider;

const SECRET: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

async fn server(store: impl TokenStore) -> TokenCache {
    server_with(store, RefreshPolicy::default()).await
}

async fn server_with(store: impl TokenStore, policy: RefreshPolicy) -> TokenCache {
    TokenCache::builder(store)
        .secret(Secret::new(SECRET).unwrap())
        .refresh(policy)
        .open()
        .await
        .unwrap()
}

fn ada() -> AccountId {
    AccountId::new("https://id.example", "ada").unwrap()
}

fn api() -> EntryKey {
    EntryKey::new("api").unwrap()
}

async fn signed_in(cache: &TokenCache) -> Session {
    let started = cache.start_sign_in().unwrap();
    cache.sign_in(SignIn::new(ada(), &started)).await.unwrap()
}

/// Returns a session whose tokens are due.
async fn due(provider: &Provider) -> (MemoryStore, TokenCache, Session) {
    let store = MemoryStore::new();
    let cache = server(store.clone()).await;
    let session = signed_in(&cache).await;
    session.put(&api(), provider.expired()).await.unwrap();
    (store, cache, session)
}

fn access_token(tokens: &TokenSet) -> &str {
    tokens.access_token().expose_secret()
}

fn refresh_token(tokens: &TokenSet) -> &str {
    tokens.refresh_token().unwrap().expose_secret()
}

async fn stored(session: &Session) -> TokenSet {
    session
        .get(&api())
        .await
        .unwrap()
        .unwrap()
        .tokens()
        .unwrap()
}

/// The next caller gets the lock at once.
async fn assert_unlocked(store: &MemoryStore, session: &Session) {
    let at = address_of(session, &api()).unwrap();
    let entry = store.read(&at, ReadOptions::at(Timestamp::default())).await;
    let seen = entry.unwrap().unwrap().version();
    let (owner, now) = (LockOwner::mint().unwrap(), Timestamp::default());
    let options = AcquireOptions::new(owner, Duration::from_secs(10), now).seen(seen);
    assert_eq!(store.acquire(&at, options).await.unwrap(), Acquired::Held);
    store.release(&at, &owner).await.unwrap();
}
