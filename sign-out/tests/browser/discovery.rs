//! The logout endpoint of a provider's discovery document.

use axum::{Json, Router, routing::get};
use http::StatusCode;
use serde_json::{Value, json};
use token_cache_core::{AccountId, SignIn};
use token_cache_sign_out::ClientRegistration;
use tokio::net::TcpListener;

use crate::shop::{Browser, RETURN_TO, Shop};

/// Starts a provider whose document has, or lacks, an `end_session_endpoint`.
async fn provider(end_session: impl Fn(&str) -> Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let mut document: Value = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") });
    if let Some(endpoint) = end_session(&issuer) {
        document["end_session_endpoint"] = endpoint.into();
    }
    let document = get(move || async move { Json(document) });
    let router = Router::new().route("/.well-known/openid-configuration", document);
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

/// Returns an app of this provider, and a signed-in browser.
async fn signed_in_at(issuer: &str) -> (Shop, Browser) {
    let client = ClientRegistration::new(issuer, "shop").post_logout_redirect_uri(RETURN_TO);
    let shop = Shop::with(move |builder| builder.client(client.clone())).await;
    let ada = AccountId::new(issuer, "ada").unwrap();
    let started = shop.here.cache.start_sign_in().unwrap();
    let session = shop.here.cache.sign_in(SignIn::new(ada, &started)).await;
    let browser = Browser::with_ticket(&session.unwrap());
    (shop, browser)
}

#[tokio::test]
async fn a_user_is_sent_to_where_the_provider_says() {
    let issuer = provider(|issuer| Some(format!("{issuer}/leave?hl=en"))).await;
    let (shop, ada) = signed_in_at(&issuer).await;
    let leaving = ada.log_out(&shop.here).await;
    let there = format!("{issuer}/leave?hl=en&client_id=shop&");
    assert!(leaving.location().starts_with(&there), "{leaving:?}");
}

#[tokio::test]
async fn a_provider_without_such_a_place_is_passed_over() {
    let issuer = provider(|_| None).await;
    let (shop, ada) = signed_in_at(&issuer).await;
    assert_eq!(ada.log_out(&shop.here).await.location(), "/bye");
    assert!(!ada.holds_ticket());
}

#[tokio::test]
async fn where_the_provider_can_t_be_reached_the_user_is_told_that_it_may_remember() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (shop, ada) = signed_in_at(&issuer).await;
    let told = ada.log_out(&shop.here).await;
    assert_eq!(told.status, StatusCode::OK);
    assert!(
        told.body.contains("may still be signed in there"),
        "{}",
        told.body
    );
    assert!(told.body.contains("href=\"/bye\""), "{}", told.body);
    assert!(!ada.holds_ticket());
    assert!(shop.told().await.result.unwrap().ended);
}
