use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::json;
use token_cache_core::{
    ExposeSecret, RefreshError, RefreshErrorKind, RefreshRequest, TokenSet, TokenSource,
    test_util::{ODD_TOKEN_RESPONSES, OddTokenResponse},
};
use token_cache_providers::{CodeExchange, OnBehalfOfGrant, Provider};

use super::server::{Answer, Server};
use super::{SENT_AT, provider, request};

/// Sends every grant of this crate, and returns the results.
async fn by_every_grant(
    provider: &Provider,
) -> Vec<(&'static str, Result<TokenSet, RefreshError>)> {
    let anew = || RefreshRequest::new(None, SENT_AT);
    let behalf = |exchange| provider.on_behalf_of("assertion", exchange);
    let own = provider.client_credentials();
    let code = CodeExchange::new("code", "https://shop.example/callback").pkce_verifier("verifier");
    vec![
        ("refresh", provider.refresh(request()).await),
        ("client credentials", own.refresh(anew()).await),
        (
            "JWT bearer",
            behalf(OnBehalfOfGrant::JwtBearer).refresh(anew()).await,
        ),
        (
            "token exchange",
            behalf(OnBehalfOfGrant::TokenExchange).refresh(anew()).await,
        ),
        (
            "refresh on behalf",
            behalf(OnBehalfOfGrant::JwtBearer).refresh(request()).await,
        ),
        ("code", provider.exchange_code(code, SENT_AT).await),
    ]
}

fn check(grant: &str, odd: &OddTokenResponse, answered: Result<TokenSet, RefreshError>) {
    let body = String::from_utf8_lossy(odd.body);
    let tokens = answered.unwrap_or_else(|error| panic!("{grant}: {body}: {error}"));
    assert_eq!(
        tokens.access_token().expose_secret(),
        "at-2",
        "{grant}: {body}"
    );
    let refresh_token = tokens.refresh_token().map(ExposeSecret::expose_secret);
    assert_eq!(refresh_token, odd.refresh_token, "{grant}: {body}");
    let lifetime = odd.lifetime.map(Duration::from_secs);
    let expires_at = lifetime.map(|lifetime| SENT_AT + lifetime);
    assert_eq!(tokens.expires_at(), expires_at, "{grant}: {body}");
    assert_eq!(tokens.scopes(), odd.scopes, "{grant}: {body}");
}

#[tokio::test]
async fn no_grant_refuses_a_response_that_has_an_access_token() {
    let number = Arc::new(AtomicUsize::new(0));
    let of_server = Arc::clone(&number);
    let server = Server::start(move |_| {
        let odd = ODD_TOKEN_RESPONSES[of_server.load(Ordering::Relaxed)];
        Answer::with_body(200, &[], Full::new(Bytes::from_static(odd.body)))
    });
    let provider = provider(&server.await);
    for (index, odd) in ODD_TOKEN_RESPONSES.iter().enumerate() {
        number.store(index, Ordering::Relaxed);
        for (grant, answered) in by_every_grant(&provider).await {
            check(grant, odd, answered);
        }
    }
}

#[tokio::test]
async fn a_response_without_an_access_token_keeps_the_refresh_token_in_it() {
    for access_token in [json!(null), json!(""), json!(7)] {
        let body = json!({
            "access_token": access_token, "token_type": "Bearer", "refresh_token": "canary-rt-2",
        });
        let server = Server::start(move |_| Answer::json(200, &body)).await;
        for (grant, answered) in by_every_grant(&provider(&server)).await {
            let error = answered.unwrap_err();
            assert_eq!(error.kind(), RefreshErrorKind::Malformed, "{grant}");
            let kept = error.new_refresh_token().map(ExposeSecret::expose_secret);
            assert_eq!(kept, Some("canary-rt-2"), "{grant}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{grant}");
        }
    }
}

#[tokio::test]
async fn a_code_is_exchanged_with_what_the_provider_compares() {
    let answer = json!({"access_token": "at", "expires_in": 60, "id_token": "a.b.c"});
    let server = Server::start(move |_| Answer::json(200, &answer)).await;
    let code = CodeExchange::new("canary-code", "https://shop.example/callback?a=b");
    assert!(!format!("{code:?}").contains("canary"));
    let code = code.pkce_verifier("canary-verifier");
    assert!(!format!("{code:?}").contains("canary"));
    let tokens = provider(&server)
        .exchange_code(code, SENT_AT)
        .await
        .unwrap();
    assert_eq!(tokens.id_token().unwrap().expose_secret(), "a.b.c");
    assert_eq!(tokens.expires_at(), Some(SENT_AT + Duration::from_secs(60)));
    let received = server.received();
    assert_eq!(
        json!(received[0].form),
        json!({
            "grant_type": "authorization_code", "code": "canary-code",
            "redirect_uri": "https://shop.example/callback?a=b", "code_verifier": "canary-verifier",
        })
    );
    assert!(received[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_code_that_is_refused_says_why() {
    let answer = json!({"error": "invalid_grant", "error_description": "canary"});
    let server = Server::start(move |_| Answer::json(400, &answer)).await;
    let code = CodeExchange::new("code", "https://shop.example/callback");
    let error = provider(&server)
        .exchange_code(code, SENT_AT)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::InvalidGrant);
    assert_eq!(error.response().unwrap().description(), Some("canary"));
    assert!(!format!("{error} {error:?} {error:#?}").contains("canary"));
}

/// An ID token without a user is dropped. With one of another user the response is refused.
#[tokio::test]
async fn an_id_token_that_can_not_be_read_loses_no_refresh_token() {
    for id_token in ["what", "a.b.c", "e30.e30.c2ln"] {
        let body = json!({"access_token": "at-2", "refresh_token": "rt-2", "id_token": id_token});
        let server = Server::start(move |_| Answer::json(200, &body)).await;
        // {"iss":"https://id.example","sub":"ada"}
        let old = "e30.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJhZGEifQ.c2ln";
        let tokens = TokenSet::new("at-1").unwrap();
        let tokens = tokens.with_refresh_token("rt-1").with_id_token(old);
        let request = RefreshRequest::new(Some(tokens), SENT_AT);
        let tokens = provider(&server).refresh(request).await.unwrap();
        assert_eq!(tokens.refresh_token().unwrap().expose_secret(), "rt-2");
        assert!(tokens.id_token().is_none());
    }
}

#[tokio::test]
async fn nothing_is_sent_without_a_code_or_an_assertion() {
    let server = Server::start(|_| Answer::json(200, &json!({"access_token": "at"}))).await;
    let provider = provider(&server);
    for (code, uri, verifier) in [
        ("", "https://a", "v"),
        ("c", " ", "v"),
        ("c", "https://a", ""),
    ] {
        let code = CodeExchange::new(code, uri).pkce_verifier(verifier);
        let error = provider.exchange_code(code, SENT_AT).await.unwrap_err();
        assert_eq!(error.kind(), RefreshErrorKind::Refused);
    }
    for exchange in [OnBehalfOfGrant::JwtBearer, OnBehalfOfGrant::TokenExchange] {
        let behalf = provider.on_behalf_of("", exchange);
        let anew = RefreshRequest::new(None, SENT_AT);
        let error = behalf.refresh(anew).await.unwrap_err();
        assert_eq!(error.kind(), RefreshErrorKind::Refused);
    }
    assert!(server.received().is_empty());
}
