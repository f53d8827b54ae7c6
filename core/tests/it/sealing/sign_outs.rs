//! No sign-out ever needs a sealing key.

use token_cache_core::{
    KeyRing, LogoutMessage, MemoryStore, ProviderSid, Session, SignIn, SignOutScope, Timestamp,
    TokenCache, TokenSet,
};

use crate::sealing::{ada, api, key, of_secret, server};

/// Returns a server that signs in, and one that lacks every key in use.
async fn servers() -> (TokenCache, TokenCache) {
    let store = MemoryStore::new();
    let lost = KeyRing::sealing_with(key("another", 9));
    (
        server(&store, of_secret()).await,
        server(&store, lost).await,
    )
}

async fn with_tokens(cache: &TokenCache) -> Session {
    let started = cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(ada(), &started)
        .sid("08a5019c")
        .unwrap()
        .auth_time(Timestamp::from_secs(1_000_000_000))
        .background_access();
    let session = cache.sign_in(sign_in).await.unwrap();
    session
        .put(&api(), TokenSet::new("at-1").unwrap())
        .await
        .unwrap();
    session
}

async fn is_over(session: &Session) {
    assert!(session.get(&api()).await.unwrap_err().is_signed_out());
}

#[tokio::test]
async fn an_account_is_signed_out_without_a_key() {
    let (a, lost) = servers().await;
    let session = with_tokens(&a).await;
    assert!(lost.resume(&session.ticket().unwrap()).await.is_err());
    assert!(lost.sign_out_account(&ada()).await.unwrap().ended);
    is_over(&session).await;
}

#[tokio::test]
async fn a_provider_session_is_signed_out_without_a_key() {
    let (a, lost) = servers().await;
    let session = with_tokens(&a).await;
    let at_provider = ProviderSid::new("https://id.example", "08a5019c").unwrap();
    let signed_out = lost
        .sign_out(SignOutScope::ProviderSession(at_provider))
        .await;
    assert!(signed_out.unwrap().ended);
    is_over(&session).await;
}

#[tokio::test]
async fn a_message_signs_out_without_a_key() {
    let (a, lost) = servers().await;
    let session = with_tokens(&a).await;
    let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1_000_000_001))
        .unwrap()
        .subject("ada")
        .unwrap();
    assert!(lost.sign_out_by(&message).await.unwrap().ended);
    is_over(&session).await;
}

#[tokio::test]
async fn an_issuer_is_signed_out_without_a_key() {
    let (a, lost) = servers().await;
    let session = with_tokens(&a).await;
    let mut run = lost.sign_out_issuer("https://id.example").unwrap();
    while run.step().await.unwrap().is_some() {}
    assert!(run.report().ended);
    is_over(&session).await;
}

#[tokio::test]
async fn a_session_at_hand_is_signed_out_without_a_key() {
    let (a, _) = servers().await;
    let session = with_tokens(&a).await;
    let lost = KeyRing::sealing_with(key("another", 9));
    a.replace_key_ring(&lost).await.unwrap();
    assert!(session.get(&api()).await.is_err());
    assert!(session.sign_out().await.unwrap().ended);
    is_over(&session).await;
}
