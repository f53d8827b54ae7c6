use base64::Engine as _;
use serde_json::{Value, json};
use token_cache_core::{ExposeSecret, RefreshErrorKind, RefreshRequest, Timestamp, TokenSource};
use token_cache_providers::{ClientAuth, OnBehalfOfGrant, Provider};

use super::server::{Answer, Server};
use super::{SECRET, SENT_AT, SPENT, builder, provider, request};

fn response() -> Value {
    json!({
        "access_token": "at-2", "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": "rt-2", "id_token": "not even a token", "scope": "openid mail",
        "tenant": "acme", "nested": {"kept": [1, 2]},
    })
}

async fn answering() -> Server {
    Server::start(|_| Answer::json(200, &response())).await
}

#[tokio::test]
async fn a_refresh_sends_the_token_the_scopes_the_resource_and_the_client() {
    let server = answering().await;
    let asked = request()
        .scopes(["mail", "calendar"])
        .resource("https://api.example");
    let tokens = provider(&server).refresh(asked).await.unwrap();

    assert_eq!(tokens.access_token().expose_secret(), "at-2");
    assert_eq!(tokens.refresh_token().unwrap().expose_secret(), "rt-2");
    assert_eq!(
        tokens.id_token().unwrap().expose_secret(),
        "not even a token"
    );
    assert_eq!(
        tokens.expires_at(),
        Some(Timestamp::from_secs(1_700_003_600))
    );
    assert_eq!(tokens.scopes(), ["openid", "mail"]);
    assert_eq!(tokens.extra()["tenant"], "acme");
    assert_eq!(tokens.extra()["nested"], json!({"kept": [1, 2]}));

    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(
        (&*received[0].method, &*received[0].path),
        ("POST", "/token")
    );
    assert_eq!(
        json!(received[0].form),
        json!({
            "grant_type": "refresh_token", "refresh_token": SPENT,
            "scope": "mail calendar", "resource": "https://api.example",
        })
    );
    let basic =
        base64::engine::general_purpose::STANDARD.encode("shop:canary-client-secret%2F%2B%3A");
    assert_eq!(
        received[0].headers["authorization"],
        format!("Basic {basic}")
    );
    assert_eq!(received[0].headers["accept"], "application/json");
}

#[tokio::test]
async fn what_the_request_does_not_name_is_not_sent() {
    let server = answering().await;
    let provider = builder(&server)
        .client_auth(ClientAuth::Body)
        .build()
        .unwrap();
    provider.refresh(request()).await.unwrap();
    let received = server.received();
    assert_eq!(
        json!(received[0].form),
        json!({
            "grant_type": "refresh_token", "refresh_token": SPENT,
            "client_id": "shop", "client_secret": SECRET,
        })
    );
    assert!(!received[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn without_a_refresh_token_nothing_is_sent() {
    let server = answering().await;
    let error = provider(&server)
        .refresh(RefreshRequest::new(None, SENT_AT))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::Refused);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn the_apps_own_tokens_need_no_refresh_token_and_spend_none() {
    let server = answering().await;
    let own = provider(&server).client_credentials();
    for request in [RefreshRequest::new(None, SENT_AT), request()] {
        own.refresh(request.scopes(["reports"])).await.unwrap();
    }
    for received in server.received() {
        assert_eq!(
            json!(received.form),
            json!({"grant_type": "client_credentials", "scope": "reports"})
        );
    }
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn on_behalf_of_exchanges_the_assertion_until_there_is_a_refresh_token() {
    let server = answering().await;
    let provider = provider(&server);
    for exchange in [OnBehalfOfGrant::TokenExchange, OnBehalfOfGrant::JwtBearer] {
        let source = provider.on_behalf_of("assertion-1", exchange);
        let first = RefreshRequest::new(None, SENT_AT).scopes(["graph"]);
        source.refresh(first).await.unwrap();
        source.refresh(request()).await.unwrap();
    }
    let forms: Vec<Value> = server
        .received()
        .iter()
        .map(|received| json!(received.form))
        .collect();
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": SPENT});
    assert_eq!(
        forms,
        [
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": "assertion-1", "scope": "graph",
                "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            }),
            refresh.clone(),
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": "assertion-1", "scope": "graph",
                "requested_token_use": "on_behalf_of",
            }),
            refresh,
        ]
    );
}

#[tokio::test]
async fn a_revocation_says_what_sort_of_token_it_sends() {
    let server = Server::start(|_| Answer::new(200, &[], "")).await;
    provider(&server).revoke("rt-2".into()).await.unwrap();
    let received = server.received();
    assert_eq!(received[0].path, "/revoke");
    assert_eq!(
        json!(received[0].form),
        json!({"token": "rt-2", "token_type_hint": "refresh_token"})
    );
    assert!(received[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn by_default_nothing_is_revoked() {
    let server = answering().await;
    let provider = Provider::builder(server.url("/token"), "shop")
        .build()
        .unwrap();
    assert_eq!(provider.revocation(), token_cache_core::Revocation::None);
    let error = provider.revoke("rt-2".into()).await.unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::Refused);
    assert!(server.received().is_empty());
}
