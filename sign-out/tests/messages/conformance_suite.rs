//! The back-channel modules of the OpenID conformance suite's plan for relying parties, each under its own name.

use serde_json::json;

use crate::{
    rig::{As, Rig},
    signer::{Signer, encoded},
};
use token_cache_sign_out::Algorithm;

/// Sends a token with one mistake, and checks that it is refused and the user stays signed in.
async fn is_refused(wrong: impl FnOnce(&Rig, serde_json::Value) -> String) {
    let rig = Rig::new().await;
    let ticket = rig
        .sign_in(
            "ada",
            As {
                sid: Some("s1"),
                ..As::default()
            },
        )
        .await;
    let mut claims = rig.claims();
    claims["sub"] = "ada".into();
    claims["sid"] = "s1".into();
    let token = wrong(&rig, claims.clone());
    let answer = rig.send(&token).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["error"], "invalid_request");
    assert!(rig.is_signed_in(&ticket).await);
    assert!(
        rig.send(&rig.signed(&claims)).await.is_ok(),
        "the right one is taken"
    );
    assert!(!rig.is_signed_in(&ticket).await);
}

#[tokio::test]
async fn backchannel_rpinitlogout() {
    let rig = Rig::new().await;
    let how = As {
        sid: Some("s1"),
        ..As::default()
    };
    let ticket = rig.sign_in("ada", how).await;
    let answer = rig.send(&rig.token(Some("ada"), Some("s1"))).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(!rig.is_signed_in(&ticket).await);
}

#[tokio::test]
async fn backchannel_rpinitlogout_alg_none() {
    is_refused(|_, claims| {
        let header = json!({"typ": "logout+jwt", "alg": "none"});
        format!(
            "{}.{}.",
            encoded(header.to_string()),
            encoded(claims.to_string())
        )
    })
    .await;
}

#[tokio::test]
async fn backchannel_rpinitlogout_no_event() {
    is_refused(|rig, mut claims| {
        claims.as_object_mut().unwrap().remove("events");
        rig.signed(&claims)
    })
    .await;
}

#[tokio::test]
async fn backchannel_rpinitlogout_with_nonce() {
    is_refused(|rig, mut claims| {
        claims["nonce"] = "n-0S6_WzA2Mj".into();
        rig.signed(&claims)
    })
    .await;
}

#[tokio::test]
async fn backchannel_rpinitlogout_wrong_alg() {
    is_refused(|rig, claims| {
        let other = Signer::new(rig.signer.id, Algorithm::Rs256);
        let header = json!({"typ": "logout+jwt", "alg": "RS256", "kid": other.id});
        other.sign(&header.to_string(), &claims.to_string())
    })
    .await;
}

#[tokio::test]
async fn backchannel_rpinitlogout_wrong_aud() {
    is_refused(|rig, mut claims| {
        claims["aud"] = "shop1".into();
        rig.signed(&claims)
    })
    .await;
}

#[tokio::test]
async fn backchannel_rpinitlogout_wrong_event() {
    is_refused(|rig, mut claims| {
        claims["events"] = json!({"http://schemas.openid.net/event/backchannel-logout1": {}});
        rig.signed(&claims)
    })
    .await;
}

#[tokio::test]
async fn backchannel_rpinitlogout_wrong_iss() {
    is_refused(|rig, mut claims| {
        claims["iss"] = "https://id.example/1".into();
        rig.signed(&claims)
    })
    .await;
}
