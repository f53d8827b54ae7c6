//! The token responses of common crates convert to token sets.

use openidconnect::core::{CoreIdTokenClaims, CoreTokenResponse};
use token_cache::{ExposeSecret, SignIn, Timestamp, TokenCache, TokenSet};

const RECEIVED: Timestamp = Timestamp::from_secs(1_700_000_000);

fn response() -> serde_json::Value {
    serde_json::json!({
        "access_token": "at-1",
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": "rt-1",
        "scope": "openid mail",
    })
}

fn holds_all_of_it(tokens: &TokenSet) {
    assert_eq!(tokens.access_token().expose_secret(), "at-1");
    assert_eq!(tokens.refresh_token().unwrap().expose_secret(), "rt-1");
    assert_eq!(tokens.token_type(), "bearer");
    assert_eq!(
        tokens.expires_at(),
        Some(Timestamp::from_secs(1_700_003_600))
    );
    assert_eq!(tokens.scopes(), ["openid", "mail"]);
}

#[test]
fn a_response_of_the_crate_oauth2() {
    let parsed: oauth2::basic::BasicTokenResponse = serde_json::from_value(response()).unwrap();
    holds_all_of_it(&TokenSet::from_response(&parsed, RECEIVED).unwrap());
}

#[test]
fn a_response_of_the_crate_openidconnect_with_its_id_token() {
    // The crate parses the token here, and does not verify its signature.
    let id_token = "eyJhbGciOiJSUzI1NiJ9.\
        eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJhZGEiLCJhdWQiOiJhcHAiLCJleHAiOjE3MDAwMDM2MDAsImlhdCI6MTcwMDAwMDAwMH0.\
        c2lnbmF0dXJl";
    let mut response = response();
    response["id_token"] = id_token.into();
    let parsed: CoreTokenResponse = serde_json::from_value(response).unwrap();
    let tokens = TokenSet::from_response(&parsed, RECEIVED).unwrap();
    holds_all_of_it(&tokens);
    assert_eq!(tokens.id_token().unwrap().expose_secret(), id_token);
}

#[tokio::test]
async fn claims_of_the_crate_openidconnect() {
    let cache = TokenCache::in_memory().await.unwrap();
    let claims: CoreIdTokenClaims = serde_json::from_value(serde_json::json!({
        "iss": "https://id.example", "sub": "ada", "aud": ["app"], "exp": 1_700_003_600, "iat": 1_700_000_000,
        "auth_time": 1_699_999_990,
    }))
    .unwrap();
    let started = cache.start_sign_in().unwrap();
    let session = cache
        .sign_in(SignIn::from_claims(&claims, &started).unwrap())
        .await
        .unwrap();

    // The session's time is its `auth_time`. A message from the second before spares it, one of that second ends it.
    for (issued_at, ended) in [(1_699_999_989, false), (1_699_999_990, true)] {
        let message =
            token_cache::LogoutMessage::new("https://id.example", Timestamp::from_secs(issued_at))
                .unwrap()
                .subject("ada")
                .unwrap();
        assert_eq!(
            cache.sign_out_by(&message).await.unwrap().ended,
            ended,
            "{issued_at}"
        );
    }
    assert!(
        cache
            .resume(&session.ticket().unwrap())
            .await
            .unwrap_err()
            .is_signed_out()
    );
}
