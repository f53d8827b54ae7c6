//! The claims that [`SessionClaims`] reads, and the tokens that it accepts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use openidconnect::{
    ClaimsVerificationError, ClientId, ClientSecret, IssuerUrl, Nonce, PrivateSigningKey,
    core::{CoreHmacKey, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};
use token_cache_core::{SignIn, TokenCache};
use token_cache_providers::SessionClaims;

const ISSUER: &str = "https://id.example";
const SECRET: &str = "a secret of the client, of 32 bytes or more";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "ada", "aud": "shop", "nonce": "n", "iat": 1_700_000_000, "exp": 32_000_000_000_u64,
        "sid": "08a5019c", "auth_time": 1_700_000_000, "session_expiry": 1_800_000_000,
    })
}

/// Returns a token with these bytes as its claims.
fn signed(payload: &str, secret: &str) -> String {
    let message = format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#),
        BASE64_URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = CoreHmacKey::new(secret)
        .sign(&CoreJwsSigningAlgorithm::HmacSha256, message.as_bytes())
        .unwrap();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn verified(token: &str) -> Result<SessionClaims, ClaimsVerificationError> {
    let verifier = CoreIdTokenVerifier::new_confidential_client(
        ClientId::new("shop".to_owned()),
        ClientSecret::new(SECRET.to_owned()),
        IssuerUrl::new(ISSUER.to_owned()).unwrap(),
        CoreJsonWebKeySet::new(Vec::new()),
    )
    .set_allowed_algs([CoreJwsSigningAlgorithm::HmacSha256]);
    SessionClaims::verify(token, &verifier, &Nonce::new("n".to_owned()))
}

fn read(claims: &Value) -> Result<SessionClaims, ClaimsVerificationError> {
    verified(&signed(&claims.to_string(), SECRET))
}

#[test]
fn the_claims_of_a_verified_token_have_its_sid() {
    let claims = read(&claims()).unwrap();
    assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (ISSUER, "ada"));
    assert_eq!(claims.sid.as_deref(), Some("08a5019c"));
    assert_eq!(claims.auth_time, Some(1_700_000_000));
    assert_eq!(claims.session_expiry, Some(1_800_000_000));
    let printed = format!("{claims:?}");
    assert!(
        !printed.contains("ada") && !printed.contains("08a5019c"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_session_begins_with_them() {
    let cache = TokenCache::in_memory().await.unwrap();
    let mut claims = claims();
    claims["session_expiry"] = json!(cache.now().unwrap().as_millis() / 1_000 + 60);
    let claims = read(&claims).unwrap();
    let started = cache.start_sign_in().unwrap();
    let session = cache
        .sign_in(SignIn::from_claims(&claims, &started).unwrap())
        .await
        .unwrap();
    assert_eq!(
        session.ends_at().as_millis() / 1_000,
        claims.session_expiry.unwrap()
    );
    let record = session.sign_out().await.unwrap();
    assert!(record.ended);
}

#[test]
fn a_token_that_is_not_verified_is_not_read() {
    let token = signed(&claims().to_string(), SECRET);
    verified(&token).unwrap();
    let mut other = claims();
    other["sid"] = json!("another");
    let parts: Vec<&str> = token.split('.').collect();
    let spliced = format!(
        "{}.{}.{}",
        parts[0],
        BASE64_URL_SAFE_NO_PAD.encode(other.to_string()),
        parts[2]
    );
    for token in [
        signed(
            &claims().to_string(),
            "another secret of the client, of 32 bytes",
        ),
        spliced,
        format!(
            "{}.{}.",
            BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
            parts[1]
        ),
        format!("{}.{}", parts[0], parts[1]),
        String::new(),
    ] {
        verified(&token).unwrap_err();
    }
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("another")),
        ("nonce", json!("another")),
        ("exp", json!(1_700_000_000)),
    ] {
        let mut claims = claims();
        claims[name] = value;
        read(&claims).unwrap_err();
    }
}

#[test]
fn claims_that_are_odd_are_read_as_far_as_they_can_be() {
    for (name, value, sid, auth_time) in [
        ("sid", json!(""), None, Some(1_700_000_000)),
        ("sid", Value::Null, None, Some(1_700_000_000)),
        ("auth_time", Value::Null, Some("08a5019c"), None),
        ("auth_time", json!(0), Some("08a5019c"), Some(0)),
        (
            "auth_time",
            json!(1_700_000_000_000_u64),
            Some("08a5019c"),
            Some(1_700_000_000_000),
        ),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let read = read(&claims).unwrap();
        assert_eq!(
            (read.sid.as_deref(), read.auth_time),
            (sid, auth_time),
            "{name}"
        );
    }
    for (name, value) in [
        ("sid", json!(7)),
        ("sid", json!(["s"])),
        ("session_expiry", json!("soon")),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let error = read(&claims).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }
    let twice = claims()
        .to_string()
        .replace(r#""sid":"#, r#""sid":"first","sid":"#);
    verified(&signed(&twice, SECRET)).unwrap_err();
}
