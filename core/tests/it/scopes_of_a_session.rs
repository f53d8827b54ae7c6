//! Sign-outs by callers that have a session and no ids.

use token_cache_core::{AccountId, EntryKey, Session, SignIn, SignOutScopeKind, TokenCache, Wait};

async fn begin(cache: &TokenCache, subject: &str, sid: Option<&str>) -> Session {
    let account = AccountId::new("https://id.example", subject).unwrap();
    let mut sign_in = SignIn::new(account, &cache.start_sign_in().unwrap());
    if let Some(sid) = sid {
        sign_in = sign_in.sid(sid).unwrap();
    }
    cache.sign_in(sign_in).await.unwrap()
}

async fn lives(session: &Session) -> bool {
    match session.get(&EntryKey::new("any").unwrap()).await {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_signed_out(), "{error}");
            false
        }
    }
}

#[tokio::test]
async fn the_account_of_a_session_is_all_of_its_sessions_and_nobody_elses() {
    let cache = TokenCache::in_memory().await.unwrap();
    let ada = begin(&cache, "ada", Some("one")).await;
    let elsewhere = begin(&cache, "ada", None).await;
    let bob = begin(&cache, "bob", Some("one")).await;
    let report = ada
        .sign_out_with(SignOutScopeKind::Account, Wait::Everywhere)
        .await
        .unwrap();
    assert!(report.ended);
    assert!(!lives(&ada).await);
    assert!(!lives(&elsewhere).await);
    assert!(lives(&bob).await);
}

#[tokio::test]
async fn a_session_knows_the_issuer_of_its_account_also_when_it_has_ended() {
    let cache = TokenCache::in_memory().await.unwrap();
    let ada = begin(&cache, "ada", None).await;
    assert!(ada.is_of_issuer("https://id.example").unwrap());
    assert!(ada.sign_out().await.unwrap().ended);
    assert!(ada.is_of_issuer("https://id.example").unwrap());
    assert!(!ada.is_of_issuer("https://id.example/").unwrap());
}

#[tokio::test]
async fn the_account_of_a_session_that_has_ended_is_still_known() {
    let cache = TokenCache::in_memory().await.unwrap();
    let ended = begin(&cache, "ada", None).await;
    assert!(ended.sign_out().await.unwrap().ended);
    let other = begin(&cache, "ada", None).await;
    assert!(
        ended
            .sign_out_with(SignOutScopeKind::Account, Wait::Everywhere)
            .await
            .unwrap()
            .ended
    );
    assert!(!lives(&other).await);
}

#[tokio::test]
async fn the_provider_session_of_a_session_is_every_session_of_its_sid() {
    let cache = TokenCache::in_memory().await.unwrap();
    let first = begin(&cache, "ada", Some("one")).await;
    let same = begin(&cache, "ada", Some("one")).await;
    let other = begin(&cache, "ada", Some("two")).await;
    let (session, scope) = (&first, SignOutScopeKind::ProviderSession);
    assert!(
        session
            .sign_out_with(scope, Wait::Everywhere)
            .await
            .unwrap()
            .ended
    );
    assert!(!lives(&first).await);
    assert!(!lives(&same).await);
    assert!(lives(&other).await);
    assert!(
        !session
            .sign_out_with(scope, Wait::Everywhere)
            .await
            .unwrap()
            .ended
    );
}

#[tokio::test]
async fn without_a_sid_the_provider_session_is_the_session_alone() {
    let cache = TokenCache::in_memory().await.unwrap();
    let without_sid = begin(&cache, "ada", None).await;
    let other = begin(&cache, "ada", None).await;
    let (session, scope) = (&without_sid, SignOutScopeKind::ProviderSession);
    assert!(
        session
            .sign_out_with(scope, Wait::Everywhere)
            .await
            .unwrap()
            .ended
    );
    assert!(!lives(&without_sid).await);
    assert!(lives(&other).await);
}
