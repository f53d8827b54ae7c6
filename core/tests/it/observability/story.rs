//! Runs every operation of a cache once.

use std::time::Duration;

use token_cache_core::{
    AccountId, EntryKey, ErrorKind, KeyRing, LogoutMessage, MemoryStore, ProviderSid, PutMode,
    RefreshError, RefreshPolicy, RingKey, Secret, Session, SignIn, SignOutScope, SignOutScopeKind,
    Timestamp, TokenCache, TokenSet, test_util::FailingStore,
};

use crate::refresh::provider::{Behaviour, Provider};

pub(crate) const ISSUER: &str = "https://canary-issuer.example";

pub(crate) fn ada() -> AccountId {
    AccountId::new(ISSUER, "canary-subject").unwrap()
}

fn key() -> EntryKey {
    EntryKey::new("canary-key").unwrap()
}

async fn signed_in(cache: &TokenCache) -> Session {
    let started = cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(ada(), &started).sid("canary-sid").unwrap();
    cache.sign_in(sign_in).await.unwrap()
}

pub(crate) async fn tell() {
    let store = FailingStore::new(MemoryStore::new());
    let mut policy = RefreshPolicy::default();
    policy.pause = Duration::from_millis(10);
    let cache = TokenCache::builder(store.clone())
        .secret(Secret::random().unwrap())
        .max_sessions(1)
        .refresh(policy)
        .open()
        .await
        .unwrap();
    use_entries(&cache).await;
    lose_a_key(&cache).await;
    refresh(&cache, &store).await;
    refuse(&cache).await;
    lose_to_a_sign_out(&cache).await;
    sign_out(&cache).await;
    hear_from_providers();
    store.fail_with(ErrorKind::Unavailable);
    cache.sign_out_account(&ada()).await.unwrap_err();
}

/// Counts the messages of providers, which the crate for sign-out over the web does.
fn hear_from_providers() {
    for channel in ["back_channel", "front_channel", "security_event"] {
        for outcome in [
            "ended",
            "nothing",
            "ignored",
            "refused",
            "unverified",
            "error",
        ] {
            token_cache_core::telemetry::provider_message(channel, "https://id.example", outcome);
        }
    }
}

async fn use_entries(cache: &TokenCache) {
    let session = signed_in(cache).await;
    session.put(&key(), b"canary-token".to_vec()).await.unwrap();
    session.get(&key()).await.unwrap().unwrap();
    let token = b"canary-token".to_vec();
    let _ = session
        .put_if(&key(), token, PutMode::Create)
        .await
        .unwrap();
    session.remove(&key()).await.unwrap();
    assert!(session.get(&key()).await.unwrap().is_none());
    cache.resume(&session.ticket().unwrap()).await.unwrap();
    signed_in(cache).await;
    session.get(&key()).await.unwrap_err();
    session
        .put(&key(), b"canary-token".to_vec())
        .await
        .unwrap_err();
    cache.resume(&session.ticket().unwrap()).await.unwrap_err();
}

async fn lose_a_key(cache: &TokenCache) {
    let session = signed_in(cache).await;
    session.put(&key(), b"canary-token".to_vec()).await.unwrap();
    let other = RingKey::new("another", *b"another key of over 32 bytes, to seal with").unwrap();
    let without = KeyRing::sealing_with(other.clone());
    cache.replace_key_ring(&without).await.unwrap();
    session.get(&key()).await.unwrap_err();
    let with = KeyRing::sealing_with(RingKey::of_secret()).opening(other);
    cache.replace_key_ring(&with).await.unwrap();
}

async fn refresh(cache: &TokenCache, store: &FailingStore) {
    let session = signed_in(cache).await;
    let provider = Provider::new();
    session.put(&key(), provider.expired()).await.unwrap();
    session
        .get_or_refresh(&key(), provider.clone())
        .await
        .unwrap();

    let now = Timestamp::from_system_time(std::time::SystemTime::now());
    let ageing = provider
        .expired()
        .with_issued_at(now - Duration::from_secs(950))
        .with_expires_at(now + Duration::from_secs(50));
    session.put(&key(), ageing).await.unwrap();
    let calls = provider.calls();
    session
        .get_or_refresh(&key(), provider.clone())
        .await
        .unwrap();
    provider.called(calls + 1).await;
    while session
        .get_or_refresh(&key(), provider.clone())
        .await
        .unwrap()
        .issued_at()
        < Some(now)
    {
        tokio::task::yield_now().await;
    }

    session.put(&key(), provider.expired()).await.unwrap();
    provider.hold();
    let due = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&key(), provider).await }
    });
    provider.called(calls + 2).await;
    session
        .put(&key(), TokenSet::new("canary-token").unwrap())
        .await
        .unwrap();
    provider.go_on();
    due.await.unwrap().unwrap();

    store.fail_with(ErrorKind::TimedOut);
    session.get(&key()).await.unwrap_err();
    session
        .put(&key(), TokenSet::new("canary-token").unwrap())
        .await
        .unwrap_err();
    session.remove(&key()).await.unwrap_err();
    cache.resume(&session.ticket().unwrap()).await.unwrap_err();
    let started = cache.start_sign_in().unwrap();
    cache
        .sign_in(SignIn::new(ada(), &started))
        .await
        .unwrap_err();
    store.work();
}

async fn refuse(cache: &TokenCache) {
    for failure in [
        Behaviour::Fail(RefreshError::of_code("invalid_client")),
        Behaviour::Fail(RefreshError::malformed("no JSON").answer_lost()),
        Behaviour::Fail(RefreshError::of_code("interaction_required")),
        Behaviour::Panic,
        Behaviour::Fail(RefreshError::transient("503")),
        Behaviour::Fail(RefreshError::of_code("invalid_grant")),
    ] {
        let session = signed_in(cache).await;
        let provider = Provider::new();
        session.put(&key(), provider.expired()).await.unwrap();
        provider.next(failure);
        session.get_or_refresh(&key(), provider).await.unwrap_err();
    }
}

/// Runs `callers` refreshes one after the other, with a provider that refuses the app.
pub(crate) async fn fail_to_refresh(callers: usize) {
    let cache = TokenCache::in_memory().await.unwrap();
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    session.put(&key(), provider.expired()).await.unwrap();
    provider.next(Behaviour::Fail(RefreshError::of_code("invalid_client")));
    for _ in 0..callers {
        let refused = session.get_or_refresh(&key(), provider.clone()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ProviderRefused);
    }
    assert_eq!(provider.calls(), 1);
}

/// Runs a sign-out that must revoke a refresh token while the store fails.
pub(crate) async fn fail_to_read_what_is_to_be_revoked() {
    let store = FailingStore::new(MemoryStore::new());
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let session = signed_in(&cache).await;
    let provider = Provider::new();
    session.put(&key(), provider.expired()).await.unwrap();
    store.fail_with(ErrorKind::Unavailable);
    let scope = SignOutScopeKind::Session;
    let failed = session.sign_out_and_revoke(scope, &key(), provider).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unavailable);
}

async fn lose_to_a_sign_out(cache: &TokenCache) {
    let session = signed_in(cache).await;
    let provider = Provider::new();
    session.put(&key(), provider.expired()).await.unwrap();
    provider.hold();
    let refreshing = tokio::spawn({
        let (session, provider) = (session.clone(), provider.clone());
        async move { session.get_or_refresh(&key(), provider).await }
    });
    provider.called(1).await;
    let _ = session.sign_out().await.unwrap();
    provider.go_on();
    assert!(refreshing.await.unwrap().unwrap_err().is_signed_out());
}

async fn sign_out(cache: &TokenCache) {
    signed_in(cache).await;
    let scope = SignOutScope::ProviderSession(ProviderSid::new(ISSUER, "canary-sid").unwrap());
    let _ = cache.sign_out(scope).await.unwrap();
    let started = cache.start_sign_in().unwrap();
    let late = SignIn::new(ada(), &started).auth_time(Timestamp::from_secs(1_000_000_000));
    let message = LogoutMessage::new(ISSUER, Timestamp::from_secs(1_000_000_001)).unwrap();
    let message = message.subject("canary-subject").unwrap();
    let _ = cache.sign_out_by(&message).await.unwrap();
    let refused = cache.sign_in(late).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SignInRevoked);
    let mut many = cache.sign_out_accounts(&[ada()]).unwrap();
    while many.step().await.unwrap().is_some() {}
    let mut issuer = cache.sign_out_issuer(ISSUER).unwrap();
    while issuer.step().await.unwrap().is_some() {}
}
