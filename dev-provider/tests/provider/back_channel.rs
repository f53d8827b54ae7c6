use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Browser, RegisteredClient, Settings, World, app::claims, shop, world_of};

/// Starts an app's endpoint at a path, which gives these answers in order and then repeats the last one. Returns the bodies that it receives.
pub(super) async fn endpoint(
    path: &str,
    answers: &'static [u16],
) -> (String, UnboundedReceiver<Bytes>) {
    let (sender, received) = unbounded_channel();
    let turn = Arc::new(AtomicUsize::new(0));
    let handler = post(async move |body: Bytes| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        let _ = sender.send(body);
        let status = answers.get(turn).or(answers.last());
        match status {
            Some(status) => StatusCode::from_u16(*status).unwrap(),
            None => std::future::pending().await,
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}{path}", listener.local_addr().unwrap());
    let app = Router::new().route(path, handler);
    tokio::spawn(axum::serve(listener, app).into_future());
    (uri, received)
}

fn told_at(uri: String) -> RegisteredClient {
    RegisteredClient {
        backchannel_logout_uri: Some(uri),
        backchannel_logout_session_required: true,
        ..shop()
    }
}

pub(super) fn logout_token(body: &Bytes) -> String {
    let text = std::str::from_utf8(body).unwrap();
    text.strip_prefix("logout_token=").unwrap().to_owned()
}

/// With the key that the provider publishes.
async fn verify(world: &mut World, token: &str) -> Value {
    let jwk = world.browser.get(world.app.at("/jwks")).await.json()["keys"][0].clone();
    let mut parts = token
        .split('.')
        .map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
    let header: Value = serde_json::from_slice(&parts.next().unwrap()).unwrap();
    assert_eq!(
        header,
        json!({"alg": "ES256", "typ": "logout+jwt", "kid": jwk["kid"]})
    );
    let signature = parts.next_back().unwrap();
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        let coordinate = jwk[coordinate].as_str().unwrap();
        point.extend(BASE64_URL_SAFE_NO_PAD.decode(coordinate).unwrap());
    }
    let (signed, _) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &signature)
        .unwrap();
    claims(token)
}

#[tokio::test]
async fn an_app_is_told_before_the_browser_is_answered() {
    let (uri, mut received) = endpoint("/logout", &[200]).await;
    let mut world = world_of(vec![told_at(uri)], Settings::default());
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    let mut elsewhere = Browser::default();
    world.app.sign_in(&mut elsewhere, "Ada").await;
    world.browser.post(world.app.at("/sign-out"), &[]).await;

    let token = logout_token(&received.try_recv().unwrap());
    let claims = verify(&mut world, &token).await;
    let id = tokens.claims();
    for claim in ["iss", "aud", "sub", "sid"] {
        assert_eq!(claims[claim], id[claim], "{claim}");
    }
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(claims["events"], json!({event: {}}));
    assert!(claims["iat"].as_u64() < claims["exp"].as_u64());
    assert!(claims["jti"].as_str().unwrap().len() > 20);
    assert_eq!(claims.get("nonce"), None);
    // The other browser's session lives.
    assert!(received.try_recv().is_err());
    let counts = world.provider.counts();
    assert_eq!((counts.back_channel_sent, counts.back_channel_ok), (1, 1));
}

#[tokio::test]
async fn an_app_that_needs_no_sid_is_told_the_subject_alone() {
    let (uri, mut received) = endpoint("/logout", &[204]).await;
    let client = RegisteredClient {
        backchannel_logout_session_required: false,
        ..told_at(uri)
    };
    let mut world = world_of(vec![client], Settings::default());
    world.app.sign_in(&mut world.browser, "Ada").await;
    world.browser.post(world.app.at("/sign-out"), &[]).await;
    let claims = claims(&logout_token(&received.try_recv().unwrap()));
    assert_eq!((&claims["sub"], claims.get("sid")), (&json!("Ada"), None));
    assert_eq!(world.provider.counts().back_channel_ok, 1);
}

#[tokio::test]
async fn every_sid_of_the_browser_is_named() {
    let (uri, mut received) = endpoint("/logout", &[200]).await;
    let mut world = world_of(vec![told_at(uri)], Settings::default());
    let mut sids = Vec::new();
    for _ in 0..2 {
        let claims = world.app.sign_in(&mut world.browser, "Ada").await.claims();
        sids.push(claims["sid"].clone());
    }
    world.browser.post(world.app.at("/sign-out"), &[]).await;
    let mut named = Vec::new();
    while let Ok(body) = received.try_recv() {
        named.push(claims(&logout_token(&body))["sid"].clone());
    }
    for sids in [&mut sids, &mut named] {
        sids.sort_by_key(ToString::to_string);
    }
    assert_eq!(named, sids);
}

#[tokio::test]
async fn an_app_that_fails_is_told_once_more_and_one_that_refuses_is_not() {
    for (answers, sent, ok) in [(&[503, 200][..], 2, 1), (&[500], 2, 0), (&[400], 1, 0)] {
        let (uri, mut received) = endpoint("/logout", answers).await;
        let mut world = world_of(vec![told_at(uri)], Settings::default());
        world.app.sign_in(&mut world.browser, "Ada").await;
        let reply = world.browser.post(world.app.at("/sign-out"), &[]).await;
        assert_eq!(reply.status(), 200);
        let counts = world.provider.counts();
        assert_eq!(
            (counts.back_channel_sent, counts.back_channel_ok),
            (sent, ok),
            "{answers:?}"
        );
        let first = received.try_recv().unwrap();
        assert!(sent == 1 || received.try_recv().unwrap() == first);
    }
}

#[tokio::test]
async fn an_app_that_does_not_answer_holds_nobody_up_for_long() {
    let (uri, mut received) = endpoint("/logout", &[]).await;
    let settings = Settings {
        back_channel_timeout: Duration::from_millis(500),
        ..Settings::default()
    };
    let mut world = world_of(vec![told_at(uri)], settings);
    let mut events = world.provider.events();
    world.app.sign_in(&mut world.browser, "Ada").await;
    world.browser.post(world.app.at("/sign-out"), &[]).await;
    assert!(received.try_recv().is_ok());
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push(serde_json::to_value(event).unwrap());
    }
    assert_eq!(
        told,
        [
            json!({"event": "signed_in", "name": "Ada", "client": "shop"}),
            json!({"event": "signed_out", "name": "Ada"}),
            json!({"event": "logout_sent", "client": "shop", "attempt": 1}),
            json!({"event": "logout_answered", "client": "shop", "status": null}),
        ]
    );
}
