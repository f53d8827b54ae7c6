//! A key management service: called once for each key, and never during a read.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use token_cache_core::{
    Error, ErrorKind, KeyProvider, KeyRing, MemoryStore, Result, RingKey, SecretSlice, TokenCache,
    TokenSet,
};

use crate::sealing::{api, of_secret, secret, server, signed_in};

/// A key management service whose master key masks the keys that it returns.
#[derive(Debug, Default)]
struct Kms {
    calls: AtomicUsize,
    down: AtomicBool,
    answers_never: AtomicBool,
}

const MASTER_KEY: u8 = 0x5c;

#[async_trait]
impl KeyProvider for Kms {
    async fn unwrap_key(&self, _name: &str, wrapped: &[u8]) -> Result<SecretSlice<u8>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.answers_never.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "unwrap a key").message("it is down"));
        }
        let plain: Vec<u8> = wrapped.iter().map(|byte| byte ^ MASTER_KEY).collect();
        Ok(plain.into())
    }
}

impl Kms {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn wrapped(name: &str, seed: u8) -> RingKey {
    let bytes: Vec<u8> = (0..32_u8)
        .map(|n| n.wrapping_mul(77).wrapping_add(seed))
        .collect();
    RingKey::wrapped(name, bytes).unwrap()
}

fn two_keys() -> KeyRing {
    KeyRing::sealing_with(wrapped("a", 1)).opening(wrapped("b", 2))
}

async fn opened(store: &MemoryStore, kms: &Arc<Kms>, ring: KeyRing) -> Result<TokenCache> {
    TokenCache::builder(store.clone())
        .secret(secret())
        .key_ring(ring)
        .key_provider(Arc::clone(kms))
        .open()
        .await
}

#[tokio::test]
async fn it_is_asked_once_for_each_key_and_may_be_down_from_then_on() {
    let (store, kms) = (MemoryStore::new(), Arc::new(Kms::default()));
    let cache = opened(&store, &kms, two_keys()).await.unwrap();
    assert_eq!(kms.calls(), 2);
    kms.down.store(true, Ordering::SeqCst);
    let session = signed_in(&cache).await;
    for n in 0..100 {
        session
            .put(&api(), TokenSet::new(format!("at-{n}")).unwrap())
            .await
            .unwrap();
        assert!(session.get(&api()).await.unwrap().is_some());
    }
    assert!(session.sign_out().await.unwrap().ended);
    assert_eq!(kms.calls(), 2);
}

#[tokio::test]
async fn a_rotation_asks_for_what_is_new_and_fails_whole() {
    let (store, kms) = (MemoryStore::new(), Arc::new(Kms::default()));
    let cache = opened(&store, &kms, two_keys()).await.unwrap();
    let session = signed_in(&cache).await;
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    let three = || two_keys().opening(wrapped("c", 3));

    kms.down.store(true, Ordering::SeqCst);
    let error = cache.replace_key_ring(&three()).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(kms.calls(), 3, "only the new key was asked for");
    assert_eq!(cache.encryption_stats().keys.len(), 2);
    assert!(session.get(&api()).await.unwrap().is_some());

    kms.down.store(false, Ordering::SeqCst);
    cache.replace_key_ring(&three()).await.unwrap();
    assert_eq!(kms.calls(), 4);
    let sealing = cache.encryption_stats();
    assert_eq!(sealing.keys.len(), 3);
    assert!(
        sealing.keys[0].opened > 0,
        "what a key was of use for stays with it"
    );

    let same_name = KeyRing::sealing_with(wrapped("a", 4)).opening(wrapped("b", 2));
    cache.replace_key_ring(&same_name).await.unwrap();
    assert_eq!(
        kms.calls(),
        5,
        "another key under an old name is another key"
    );
    let error = session.get(&api()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyMissing);
}

#[tokio::test]
async fn a_cache_is_not_opened_with_half_a_ring() {
    let (store, kms) = (MemoryStore::new(), Arc::new(Kms::default()));
    kms.down.store(true, Ordering::SeqCst);
    let error = opened(&store, &kms, two_keys()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn one_that_never_answers_is_given_up() {
    let (store, kms) = (MemoryStore::new(), Arc::new(Kms::default()));
    kms.answers_never.store(true, Ordering::SeqCst);
    let error = opened(&store, &kms, two_keys()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("`a`"), "{error}");
}

#[tokio::test]
async fn a_key_that_it_cannot_have_meant_is_refused() {
    let (store, kms) = (MemoryStore::new(), Arc::new(Kms::default()));
    let short = KeyRing::sealing_with(RingKey::wrapped("a", [1, 2, 3]).unwrap());
    let error = opened(&store, &kms, short).await.unwrap_err();
    assert!(error.to_string().contains("has 3 bytes"), "{error}");
    let twins = KeyRing::sealing_with(wrapped("a", 1)).opening(wrapped("b", 1));
    let error = opened(&store, &kms, twins).await.unwrap_err();
    assert!(error.to_string().contains("are the same"), "{error}");
}

#[tokio::test]
async fn a_fleet_moves_to_it_from_the_key_of_the_secret() {
    let (store, kms) = (MemoryStore::new(), Arc::new(Kms::default()));
    let before = server(&store, of_secret()).await;
    let session = signed_in(&before).await;
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    let ticket = session.ticket().unwrap();
    let ring = KeyRing::sealing_with(wrapped("a", 1)).opening(RingKey::of_secret());
    let cache = opened(&store, &kms, ring).await.unwrap();
    let session = cache.resume(&ticket).await.unwrap();
    assert!(session.get(&api()).await.unwrap().is_some());
}
