//! The memory store at its limit: it refuses writes, evicts nothing that was acknowledged, and still signs out.

#![cfg(feature = "test-util")]

use std::time::Duration;

use token_cache_core::{
    AccountId, EntryKey, ErrorKind, MemoryStore, Secret, Session, SignIn, TokenCache,
    test_util::ManualClock,
};

async fn sign_in(cache: &TokenCache, subject: &str, lifetime: Duration) -> Session {
    let started = cache.start_sign_in().unwrap();
    let account = AccountId::new("https://id.example", subject).unwrap();
    cache
        .sign_in(SignIn::new(account, &started).lifetime(lifetime))
        .await
        .unwrap()
}

fn key(name: usize) -> EntryKey {
    EntryKey::new(format!("api {name}")).unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_full_store_refuses_writes_keeps_what_it_has_and_signs_out() {
    let store = MemoryStore::with_weight_limit(64 << 10).unwrap();
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let session = sign_in(&cache, "ada", HOUR).await;
    let mut stored = 0;
    let error = loop {
        match session.put(&key(stored), vec![7; 1024]).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(store.weight() <= 64 << 10);
    for name in 0..stored {
        assert!(
            session.get(&key(name)).await.unwrap().is_some(),
            "entry {name} of {stored}"
        );
    }
    assert!(session.sign_out().await.unwrap().ended);
    assert_eq!(store.weight(), 0);
    assert!(
        sign_in(&cache, "ada", HOUR)
            .await
            .put(&key(0), vec![7; 1024])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_is_expired_makes_room() {
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(clock.clone());
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    for account in 0..50 {
        sign_in(&cache, &account.to_string(), HOUR)
            .await
            .put(&key(0), vec![7; 1024])
            .await
            .unwrap();
    }
    assert!(store.weight() > 50 * 1024);
    clock.advance(2 * HOUR);
    // Enough steps for every shard to be swept.
    for account in 0..80_000_u32 {
        let account = AccountId::new("https://id.example", account.to_string()).unwrap();
        assert!(cache.sessions(&account).await.unwrap().is_empty());
    }
    assert_eq!(store.weight(), 0);
}

#[tokio::test]
async fn an_overwritten_or_removed_entry_weighs_nothing() {
    let store = MemoryStore::new();
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let session = sign_in(&cache, "ada", HOUR).await;
    let empty = store.weight();
    for size in [10, 10_000, 500] {
        session.put(&key(0), vec![7; size]).await.unwrap();
    }
    let written = store.weight() - empty;
    assert!((500..700).contains(&written), "{written}");
    session.remove(&key(0)).await.unwrap();
    assert_eq!(store.weight(), empty);
}

#[test]
fn a_limit_that_holds_nothing_is_refused() {
    assert_eq!(
        MemoryStore::with_weight_limit(1024).unwrap_err().kind(),
        ErrorKind::Config
    );
}
