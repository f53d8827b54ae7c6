//! Keys rotate while servers are in use, and no user is signed out by it.

use std::time::Duration;

use token_cache_core::{ErrorKind, KeyRing, MemoryStore, RingKey, SignIn, TokenSet};

use crate::sealing::{ada, api, key, of_secret, sealed, server, signed_in};

/// Returns the id of the key that the session's entry is sealed under.
async fn key_id(store: &MemoryStore, session: &token_cache_core::Session) -> Vec<u8> {
    sealed(store, session).await.1.stored()[1..5].to_vec()
}

fn new_seals() -> KeyRing {
    KeyRing::sealing_with(key("new", 1)).opening(RingKey::of_secret())
}

#[tokio::test]
async fn a_fleet_rotates_and_every_server_opens_what_every_other_sealed() {
    let store = MemoryStore::new();
    let (a, b) = (
        server(&store, of_secret()).await,
        server(&store, of_secret()).await,
    );
    let started = a.start_sign_in().unwrap();
    let sign_in = SignIn::new(ada(), &started).background_access();
    let session = a.sign_in(sign_in).await.unwrap();
    let ticket = session.ticket().unwrap();
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    let old = key_id(&store, &session).await;

    // First, every server gets the new key as an open-only key.
    let opens_new = of_secret().opening(key("new", 1));
    for server in [&a, &b] {
        server.replace_key_ring(&opens_new).await.unwrap();
    }
    // Then one server seals with it, and the other does not yet.
    a.replace_key_ring(&new_seals()).await.unwrap();
    let there = b.resume(&ticket).await.unwrap();
    assert!(there.get(&api()).await.unwrap().is_some());
    assert_eq!(key_id(&store, &session).await, old, "a read moves nothing");

    let session = a.resume(&ticket).await.unwrap();
    session
        .put(&api(), TokenSet::new("at-2").unwrap())
        .await
        .unwrap();
    assert_ne!(
        key_id(&store, &session).await,
        old,
        "a write moves the entry"
    );
    assert!(there.get(&api()).await.unwrap().is_some());
    let reissued = session.ticket().unwrap();
    assert!(b.resume(&reissued).await.is_ok());
    assert!(
        b.background_session(&ada()).await.unwrap().is_some(),
        "background sessions open as well"
    );
    let started = a.start_sign_in().unwrap();
    assert!(b.sign_in(SignIn::new(ada(), &started)).await.is_ok());

    // The old key is removed: entries that have moved can be read, others are an error and no sign-out.
    for server in [&a, &b] {
        let ring = KeyRing::sealing_with(key("new", 1));
        server.replace_key_ring(&ring).await.unwrap();
    }
    let session = b.resume(&reissued).await.unwrap();
    assert!(session.get(&api()).await.unwrap().is_some());
    let error = b.resume(&ticket).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyMissing);
}

#[tokio::test]
async fn a_server_that_was_forgotten_says_so_and_signs_nobody_out() {
    let store = MemoryStore::new();
    let (a, forgotten) = (
        server(&store, of_secret()).await,
        server(&store, of_secret()).await,
    );
    let session = signed_in(&a).await;
    let ticket = session.ticket().unwrap();
    a.replace_key_ring(&new_seals()).await.unwrap();
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    let there = forgotten.resume(&ticket).await.unwrap();
    let error = there.get(&api()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyMissing);
    assert!(!error.is_signed_out());
    assert_eq!(forgotten.encryption_stats().unknown_key, 1);
    forgotten.replace_key_ring(&new_seals()).await.unwrap();
    assert!(there.get(&api()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_key_that_is_still_of_use_shows_it() {
    let store = MemoryStore::new();
    let cache = server(&store, of_secret()).await;
    let session = signed_in(&cache).await;
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    cache.replace_key_ring(&new_seals()).await.unwrap();

    let use_of = |name: &str| {
        let mut keys = cache.encryption_stats().keys.into_iter();
        keys.find(|key| key.name == name).unwrap()
    };
    assert!(use_of("new").seals && !use_of("secret").seals);
    let before = use_of("secret").opened;
    assert_eq!(
        before, 1,
        "the started sign-in, counted across the rotation"
    );
    assert!(session.get(&api()).await.unwrap().is_some());
    assert_eq!(use_of("secret").opened, before + 1);
    session
        .put(&api(), TokenSet::new("at-2").unwrap())
        .await
        .unwrap();
    assert!(session.get(&api()).await.unwrap().is_some());
    assert_eq!(use_of("secret").opened, before + 1, "the entry has moved");
    assert_eq!(use_of("new").opened, 1);

    // The idle time of a key grows until its next use.
    let idle = use_of("new").idle;
    while use_of("new").idle < idle + Duration::from_millis(20) {
        tokio::task::yield_now().await;
    }
    let grown = use_of("new").idle;
    assert!(session.get(&api()).await.unwrap().is_some());
    assert!(use_of("new").idle < grown);
}
