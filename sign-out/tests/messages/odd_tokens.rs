//! Unusual logout tokens that providers send. They are accepted, and unreadable members are skipped.

use serde_json::{Value, json};
use token_cache_sign_out::{Algorithm, ClientRegistration, SignOutRoutes};

use crate::{
    log::Log,
    rig::{As, CLIENT, ISSUER, Rig},
    signer::{Signer, jwks},
};

const S1: As<'static> = As {
    sid: Some("s1"),
    issuer: None,
};

/// Sends a token with these claims and this header, and checks that it is accepted and Ada is signed out.
async fn is_taken(
    what: &str,
    claims: impl FnOnce(&mut Value),
    header: impl FnOnce(&mut Value),
) -> usize {
    let rig = Rig::new().await;
    let ticket = rig.sign_in("ada", S1).await;
    let (mut members, mut head) = (rig.claims(), rig.header());
    members["sub"] = "ada".into();
    members["sid"] = "s1".into();
    claims(&mut members);
    header(&mut head);
    let token = rig.signer.sign(&head.to_string(), &members.to_string());
    let log = Log::start();
    let answer = rig.send(&token).await;
    assert!(answer.is_ok(), "{what}: {answer:?}");
    assert!(!rig.is_signed_in(&ticket).await, "{what}");
    let lines = log.take();
    assert!(
        lines
            .iter()
            .all(|line| line.event == "provider_message_member_skipped"),
        "{lines:?}"
    );
    lines.len()
}

#[tokio::test]
async fn an_optional_claim_that_cannot_be_read_is_passed_over_and_reported() {
    for (name, value, reported) in [
        ("sid", json!(5), 1),
        ("sid", json!(["s1"]), 1),
        ("sub", json!(248_289_761_001_u64), 1),
        ("nbf", json!("now"), 1),
        // These have no effect.
        ("sid", json!(""), 0),
        ("sid", Value::Null, 0),
        ("sub", Value::Null, 0),
        ("sub", json!(""), 0),
        ("nbf", Value::Null, 0),
        ("x", json!([{"y": null}]), 0),
    ] {
        let what = format!("{name}: {value}");
        let lines = is_taken(&what, |claims| claims[name] = value, |_| {}).await;
        assert_eq!(lines, reported, "{what}");
    }
}

/// Keys come only from the provider. Keys in a header are ignored.
#[tokio::test]
async fn a_header_with_a_key_in_it_or_without_a_usable_one_is_taken() {
    let stranger = Signer::new("own", Algorithm::Es256).jwk();
    for (name, value) in [
        ("jku", json!("https://id.example/keys")),
        ("x5c", json!(["MIIB"])),
        ("x5u", json!("https://id.example/cert")),
        ("x5t", json!("AAAA")),
        ("jwk", stranger),
        ("kid", Value::Null),
        ("kid", json!("")),
        ("kid", json!(1)),
        ("typ", Value::Null),
        ("crit", Value::Null),
        ("cty", Value::Null),
    ] {
        let what = format!("{name}: {value}");
        assert_eq!(
            is_taken(&what, |_| {}, |header| header[name] = value).await,
            0,
            "{what}"
        );
    }
}

#[tokio::test]
async fn json_with_a_byte_order_mark_is_read() {
    let rig = Rig::new().await;
    let ticket = rig.sign_in("ada", S1).await;
    let mut claims = rig.claims();
    claims["sid"] = "s1".into();
    let token = rig.signer.sign(
        &format!("\u{feff}{}", rig.header()),
        &format!("\u{feff}{claims}"),
    );
    let answer = rig.send(&token).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(!rig.is_signed_in(&ticket).await);
}

#[tokio::test]
async fn other_audiences_are_taken_if_the_client_trusts_them() {
    let signer = Signer::new("1", Algorithm::Es256);
    let client = ClientRegistration::new(ISSUER, CLIENT)
        .algorithms([Algorithm::Es256])
        .jwks(jwks(&[&signer]))
        .trusted_audiences(["https://api.example"]);
    let rig = Rig::of(signer, token_cache_core::SidMeaning::Session, |cache| {
        SignOutRoutes::builder(cache).client(client)
    })
    .await;
    let mut claims = rig.claims();
    claims["sub"] = "ada".into();
    for (audience, status) in [
        (json!([CLIENT, "https://api.example"]), 200),
        (
            json!([CLIENT, "https://api.example", "https://other.example"]),
            400,
        ),
        (json!("https://api.example"), 400),
    ] {
        claims["aud"] = audience.clone();
        let answer = rig.send(&rig.signed(&claims)).await;
        assert_eq!(answer.status, status, "{audience}: {answer:?}");
    }
}
