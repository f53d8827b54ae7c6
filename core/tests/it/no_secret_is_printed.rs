//! Formatted output contains no token, key, ticket secret or id (G5).

#![cfg(feature = "test-util")]

use token_cache_core::{
    AccountId, EntryKey, EntryValue, LogoutMessage, ProviderSid, Secret, SignIn, Timestamp,
    TokenCache, TokenSet,
};

const CANARIES: [&str; 6] = [
    "canary-issuer",
    "canary-subject",
    "canary-sid",
    "canary-token",
    "canary-key",
    "canary-secret",
];

fn clean(printed: &str) {
    for canary in CANARIES {
        assert!(!printed.contains(canary), "{printed}");
    }
    // Random bytes as text would be a long run of base64url letters.
    let longest = printed
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .map(str::len)
        .max()
        .unwrap_or(0);
    assert!(longest < 24, "{printed}");
}

#[tokio::test]
async fn debug_prints_none_of_them() {
    let secret = Secret::new(*b"canary-secret-canary-secret-canary").unwrap();
    clean(&format!("{secret:?}"));
    let store = token_cache_core::MemoryStore::new();
    let cache = TokenCache::builder(store)
        .secret(secret)
        .open()
        .await
        .unwrap();
    let account = AccountId::new("canary-issuer", "canary-subject").unwrap();
    let started = cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(account.clone(), &started)
        .sid("canary-sid")
        .unwrap()
        .background_access();
    clean(&format!("{sign_in:?}"));
    let session = cache.sign_in(sign_in).await.unwrap();
    let key = EntryKey::new("canary-key").unwrap();
    let tokens = TokenSet::new("canary-token")
        .unwrap()
        .with_refresh_token("canary-token")
        .with_id_token("canary-token");
    let value = EntryValue::try_from(&tokens).unwrap();
    session.put(&key, tokens.clone()).await.unwrap();
    let entry = session.get(&key).await.unwrap().unwrap();
    let message = LogoutMessage::new("canary-issuer", Timestamp::default())
        .unwrap()
        .subject("canary-subject")
        .unwrap();
    let at_provider = ProviderSid::new("canary-issuer", "canary-sid").unwrap();
    let sessions = cache.sessions(&account).await.unwrap();
    let bulk = cache.sign_out_accounts([&account]).unwrap();
    clean(&format!(
        "{account:?} {key:?} {message:?} {at_provider:?} {value:?}"
    ));
    clean(&format!("{tokens:?} {entry:?}"));
    clean(&format!(
        "{session:?} {:?} {started:?}",
        session.ticket().unwrap()
    ));
    clean(&format!("{cache:?} {sessions:?} {bulk:?}"));
    let background_session = cache.background_session(&account).await.unwrap();
    clean(&format!("{background_session:?}"));
    assert!(background_session.is_some());
}

#[test]
fn an_error_about_a_token_response_does_not_quote_it() {
    let response =
        serde_json::json!({"access_token": ["canary-token"], "refresh_token": "canary-token"});
    let error = TokenSet::from_response(&response, Timestamp::default()).unwrap_err();
    clean(&format!("{error} {error:?}"));
}
