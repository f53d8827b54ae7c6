//! Each refused message is logged once at WARN with the reason: the actual value and the expected one.

use http::StatusCode;
use serde_json::{Value, json};
use token_cache_sign_out::Algorithm;

use crate::{
    keys::{routes, send, signer, token},
    keys_server::KeysServer,
    log::Log,
    rig::{CLIENT, ISSUER, Rig, post_form},
    shared_signals::{self, SESSION_REVOKED},
    signer::{Signer, jwks},
};

#[tokio::test]
async fn a_refused_logout_token_is_logged_with_the_cause() {
    let rig = Rig::new().await;
    let log = Log::start();
    let rs256 = Signer::new("1", Algorithm::Rs256);
    let good = |name: &str, value: Value| {
        let mut claims = rig.claims();
        claims["sub"] = "canary".into();
        claims[name] = value;
        claims
    };
    let claims = good("x", json!(1)).to_string();
    let signed = |header: &str| rig.signer.sign(header, &claims);
    let cases = [
        (
            rs256.sign(r#"{"alg":"RS256","kid":"1"}"#, &claims),
            "its `alg` is RS256, and ES256 was expected",
        ),
        (
            signed(r#"{"alg":"HS256"}"#),
            "its `alg` is HS256, and ES256 was expected",
        ),
        (
            signed(r#"{"alg":"canary"}"#),
            "its `alg` is an unknown algorithm, and ES256 was expected",
        ),
        (signed(r#"{"alg":"none"}"#), "not signed"),
        (
            signed(r#"{"alg":"ES256","kid":"2"}"#),
            r#"its `kid` is "2""#,
        ),
        (
            Signer::new("1", Algorithm::Es256).sign(r#"{"alg":"ES256","kid":"1"}"#, &claims),
            "signature is not the provider's",
        ),
        (
            rig.signed(&good("aud", json!(["shop", "other"]))),
            r#"its `aud` is "shop", "other", and "shop" was expected"#,
        ),
        (
            rig.signed(&good("iss", json!("https://id.example/"))),
            r#"its `iss` is "https://id.example/", and "https://id.example" was expected"#,
        ),
        (rig.signed(&good("exp", json!(1))), "expired"),
        ("no token".to_owned(), "three parts"),
    ];
    for (token, says) in cases {
        let answer = rig.send(&token).await;
        assert_eq!(answer.status, 400, "{says}: {answer:?}");
        let line = log.warning();
        assert_eq!(line.event, "logout_token_refused");
        assert!(line.text.contains(says), "{says}: {line:?}");
        assert!(!line.text.contains("canary"), "{line:?}");
        let unknown = says.contains("`iss`") || says.contains("three parts");
        assert_eq!(
            line.text.contains(&format!("{ISSUER:?} was refused")),
            !unknown && says != "not signed",
            "{line:?}"
        );
    }
    let answer = rig.routes.back_channel_logout(post_form("x=1")).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(log.warning().text.contains("no logout_token"));
}

#[tokio::test]
async fn a_refused_security_event_and_a_refused_frame_are_logged() {
    let rig = Rig::new().await;
    let log = Log::start();
    let email = json!({"format": "email", "email": "canary@shop.example"});
    let claims = shared_signals::claims(&rig, SESSION_REVOKED, email);
    let event = shared_signals::signed(&rig, &claims);
    assert_eq!(shared_signals::send(&rig, event).await.status, 400);
    let line = log.warning();
    assert_eq!(line.event, "security_event_refused");
    assert!(
        line.text.contains("format") && !line.text.contains("canary"),
        "{line:?}"
    );

    for (query, says) in [
        (
            "iss=https://other.example&sid=canary",
            "not a provider of this app",
        ),
        ("sid=canary", "FrontChannelParameters::SidOnly"),
        ("", "FrontChannelParameters::None"),
    ] {
        let path = format!("/frontchannel-logout?{query}");
        let (request, ()) = http::Request::get(path).body(()).unwrap().into_parts();
        let answer = rig.routes.front_channel_logout(&request).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let line = log.warning();
        assert_eq!(line.event, "front_channel_refused");
        assert!(
            line.text.contains(says) && !line.text.contains("canary"),
            "{line:?}"
        );
    }
}

#[tokio::test]
async fn a_message_whose_key_is_not_to_be_had_is_logged_and_so_are_keys_that_cannot_be_read() {
    let (good, made_up) = (signer("1"), signer("2"));
    let bad = json!({"kty": "RSA", "n": "!", "e": "AQAB", "kid": "3"});
    let mut set: Value = serde_json::from_str(&jwks(&[&good])).unwrap();
    set["keys"].as_array_mut().unwrap().push(bad);
    let server = KeysServer::start(set.to_string()).await;
    let log = Log::start();
    let client = token_cache_sign_out::ClientRegistration::new(&server.issuer, CLIENT);
    let routes = routes(client).await;
    assert!(send(&routes, &token(&server, &good)).await.is_ok());
    let line = log.warning();
    assert_eq!(line.event, "provider_key_skipped");
    assert!(line.text.contains("`n`"), "{line:?}");
    assert_eq!(send(&routes, &token(&server, &made_up)).await.status, 400);
    let lines = log.take();
    assert!(
        lines
            .iter()
            .any(|line| line.event == "logout_token_refused"),
        "{lines:?}"
    );
    assert_eq!(send(&routes, &token(&server, &made_up)).await.status, 503);
    let line = log.warning();
    assert_eq!(line.event, "provider_message_unverified");
    assert!(line.text.contains("a moment ago"), "{line:?}");
}
