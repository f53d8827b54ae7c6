//! Invalid input of the caller is refused before any request. The error names the part and the fix, and nothing is lost.

#![cfg(feature = "test-util")]

use std::time::Duration;

use token_cache_core::{
    AccountId, Error, ErrorKind, LogoutMessage, MemoryStore, ProviderSid, Secret, SignIn,
    Timestamp, TokenCache, TokenSet, test_util::FailingStore,
};

/// A store that fails every request: an error of another kind shows that no request was sent.
async fn unreachable() -> (TokenCache, FailingStore) {
    let store = FailingStore::new(MemoryStore::new());
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    (cache, store)
}

fn misuse<T: std::fmt::Debug>(result: Result<T, Error>, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    assert!(
        error.to_string().contains(part),
        "{error} does not name {part}"
    );
    assert!(!error.is_retryable());
}

#[test]
fn names_that_are_empty_or_absurd() {
    let long = "x".repeat(9 * 1024);
    misuse(AccountId::new("", "ada"), "issuer");
    misuse(AccountId::new("https://id.example", ""), "subject");
    misuse(AccountId::new("https://id.example", &long), "subject");
    misuse(AccountId::custom("", "ada"), "namespace");
    misuse(ProviderSid::new("https://id.example", ""), "sid");
    misuse(token_cache_core::EntryKey::new(""), "entry key");
    misuse(token_cache_core::EntryKey::resource(""), "resource");
    misuse(token_cache_core::EntryKey::new(long), "entry key");
}

#[test]
fn a_secret_that_is_short_or_no_secret() {
    for secret in [vec![], vec![7; 31], vec![0; 64]] {
        let error = Secret::new(secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("openssl rand"), "{error}");
    }
}

#[tokio::test]
async fn a_lifetime_of_zero_or_of_centuries() {
    let (cache, store) = unreachable().await;
    store.fail_with(ErrorKind::Unavailable);
    let started = cache.start_sign_in().unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    for lifetime in [Duration::ZERO, Duration::from_millis(5), Duration::MAX] {
        let sign_in = SignIn::new(ada.clone(), &started).lifetime(lifetime);
        misuse(cache.sign_in(sign_in).await, "lifetime");
    }
}

#[tokio::test]
async fn settings_out_of_range() {
    let (_, store) = unreachable().await;
    store.fail_with(ErrorKind::Unavailable);
    let builder = || TokenCache::builder(store.clone()).secret(Secret::random().unwrap());
    misuse(
        builder().sign_in_timeout(Duration::ZERO).open().await,
        "sign-in timeout",
    );
    misuse(
        builder()
            .sign_in_timeout(Duration::from_secs(3600))
            .open()
            .await,
        "sign-in timeout",
    );
    misuse(builder().max_sessions(0).open().await, "sessions");
    misuse(builder().max_sessions(101).open().await, "sessions");
}

#[tokio::test]
async fn a_value_over_the_limit_is_refused_before_any_request() {
    let (cache, store) = unreachable().await;
    let started = cache.start_sign_in().unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    let session = cache.sign_in(SignIn::new(ada, &started)).await.unwrap();
    store.fail_with(ErrorKind::Unavailable);
    let key = token_cache_core::EntryKey::new("big").unwrap();
    let limit = cache.store().capabilities().max_entry_bytes;
    let error = session.put(&key, vec![1; limit]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[tokio::test]
async fn tokens_that_have_expired_and_cannot_be_refreshed() {
    let (cache, _) = unreachable().await;
    let started = cache.start_sign_in().unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    let session = cache.sign_in(SignIn::new(ada, &started)).await.unwrap();
    let key = token_cache_core::EntryKey::new("api").unwrap();
    let expired = TokenSet::new("at")
        .unwrap()
        .with_expires_at(Timestamp::from_secs(1));
    misuse(session.put(&key, expired.clone()).await, "expired");
    // With a refresh token they are worth storing, because the session outlives the access token.
    session
        .put(&key, expired.with_refresh_token("rt"))
        .await
        .unwrap();
    assert!(session.get(&key).await.unwrap().is_some());
}

#[tokio::test]
async fn a_logout_message_that_names_nobody() {
    let (cache, store) = unreachable().await;
    store.fail_with(ErrorKind::Unavailable);
    let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1)).unwrap();
    misuse(cache.sign_out_by(&message).await, "subject");
    misuse(message.subject(""), "subject");
}

#[test]
fn claims_that_are_not_those_of_an_id_token() {
    let cases = [
        (serde_json::json!({"sub": "ada"}), "iss"),
        (serde_json::json!({"iss": "https://id.example"}), "sub"),
        (
            serde_json::json!({"iss": "https://id.example", "sub": 7}),
            "sub",
        ),
        (
            serde_json::json!({"iss": ["https://id.example"], "sub": "ada"}),
            "iss",
        ),
        (
            serde_json::json!({"iss": "https://id.example", "sub": ""}),
            "subject",
        ),
        (
            serde_json::json!({"iss": "https://id.example", "sub": "ada", "sid": 1}),
            "sid",
        ),
        (
            serde_json::json!({"iss": "https://id.example", "sub": "ada", "session_expiry": []}),
            "session_expiry",
        ),
        (
            serde_json::json!({"iss": "https://id.example", "sub": "ada", "auth_time": "now"}),
            "auth_time",
        ),
        (serde_json::json!("no object"), "iss"),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let started = runtime.block_on(async {
        TokenCache::in_memory()
            .await
            .unwrap()
            .start_sign_in()
            .unwrap()
    });
    for (claims, part) in cases {
        misuse(SignIn::from_claims(&claims, &started), part);
    }
}

#[test]
fn token_responses_that_are_none() {
    let cases = [
        serde_json::json!({}),
        serde_json::json!({"access_token": "", "token_type": "Bearer"}),
        serde_json::json!({"access_token": 7, "token_type": "Bearer"}),
        serde_json::json!(["at"]),
        serde_json::json!({"error": "invalid_grant"}),
    ];
    for response in cases {
        misuse(
            TokenSet::from_response(&response, Timestamp::default()),
            "RFC 6749",
        );
    }
}

#[test]
fn tokens_that_are_empty() {
    for empty in ["", " ", "\r\n"] {
        misuse(TokenSet::new(empty), "access token is empty");
        let tokens = TokenSet::new("at").unwrap();
        let tokens = tokens.with_refresh_token(empty).with_id_token(empty);
        assert!(tokens.refresh_token().is_none() && tokens.id_token().is_none());
        // A stored set with an empty token is refused as well.
        let stored = serde_json::json!({"access_token": empty, "token_type": "Bearer"});
        serde_json::from_value::<TokenSet>(stored).unwrap_err();
        let stored = serde_json::json!({
            "access_token": "at", "token_type": "Bearer", "refresh_token": empty, "id_token": empty,
        });
        let tokens: TokenSet = serde_json::from_value(stored).unwrap();
        assert!(tokens.refresh_token().is_none() && tokens.id_token().is_none());
    }
}

#[test]
fn an_expiry_at_the_end_of_time_does_not_overflow() {
    let response = serde_json::json!({"access_token": "at", "expires_in": 3600});
    let tokens = TokenSet::from_response(&response, Timestamp::MAX).unwrap();
    assert_eq!(tokens.expires_at(), Some(Timestamp::MAX));
}

#[test]
fn outside_a_runtime_it_says_so_instead_of_panicking() {
    let opening = TokenCache::builder(MemoryStore::new())
        .secret(Secret::random().unwrap())
        .open();
    let mut opening = Box::pin(opening);
    let polled = std::future::Future::poll(
        opening.as_mut(),
        &mut std::task::Context::from_waker(std::task::Waker::noop()),
    );
    match polled {
        std::task::Poll::Ready(result) => misuse(result, "tokio"),
        std::task::Poll::Pending => panic!("it waits without a runtime"),
    }
}
