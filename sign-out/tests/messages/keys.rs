//! A provider's keys over real HTTP: fetched rarely, and only from the provider.

use std::{env, io::ErrorKind, net::TcpListener, process::Command, time::Duration};

use serde_json::json;
use token_cache_core::TokenCache;
use token_cache_sign_out::{Algorithm, ClientRegistration, KeyFetch, SignOutRoutes};

use crate::{
    keys_server::KeysServer,
    rig::{Answer, CLIENT, EVENT, post},
    signer::{Signer, jwks},
};

/// A time that is longer than a test.
const LONG: Duration = Duration::from_secs(60);

pub(crate) async fn routes(client: ClientRegistration) -> SignOutRoutes {
    let cache = TokenCache::in_memory().await.unwrap();
    SignOutRoutes::builder(cache)
        .client(client.algorithms([Algorithm::Es256]))
        .key_fetch(KeyFetch::OnDemand)
        .build()
        .unwrap()
}

pub(crate) fn token(server: &KeysServer, signer: &Signer) -> String {
    token_of(server, signer, "ada")
}

/// Returns a token that names this user.
pub(crate) fn token_of(server: &KeysServer, signer: &Signer, subject: &str) -> String {
    let header = json!({"alg": "ES256", "kid": signer.id}).to_string();
    signed(server, signer, &header, subject)
}

fn token_with(server: &KeysServer, signer: &Signer, header: &str) -> String {
    signed(server, signer, header, "ada")
}

fn signed(server: &KeysServer, signer: &Signer, header: &str, subject: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = json!({
        "iss": server.issuer, "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 60, "jti": "1",
        "events": {EVENT: {}},
    });
    signer.sign(header, &claims.to_string())
}

pub(crate) async fn send(routes: &SignOutRoutes, token: &str) -> Answer {
    Answer::of(routes.back_channel_logout(post(token)).await)
}

pub(crate) fn signer(id: &'static str) -> Signer {
    Signer::new(id, Algorithm::Es256)
}

#[tokio::test]
async fn keys_are_discovered_once_for_all_who_ask_at_once() {
    let signer = signer("1");
    let server = KeysServer::start(jwks(&[&signer])).await;
    let routes = routes(ClientRegistration::new(&server.issuer, CLIENT)).await;
    let token = token(&server, &signer);
    server.hold();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let (routes, token) = (routes.clone(), token.clone());
            tokio::spawn(async move { send(&routes, &token).await })
        })
        .collect();
    while server.asked_for_discovery() == 0 {
        tokio::task::yield_now().await;
    }
    server.open();
    for asked in asking {
        let answer = asked.await.unwrap();
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert!(send(&routes, &token).await.is_ok());
    assert_eq!(server.asked_for_discovery(), 1);
    assert_eq!(server.asked_for_jwks(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_it_is_first_met() {
    let (old, new) = (signer("1"), signer("2"));
    let server = KeysServer::start(jwks(&[&old])).await;
    let client = ClientRegistration::new(&server.issuer, CLIENT).jwks_cooldown(Duration::ZERO);
    let routes = routes(client).await;
    assert!(send(&routes, &token(&server, &old)).await.is_ok());
    server.publish(jwks(&[&old, &new]));
    let answer = send(&routes, &token(&server, &new)).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(send(&routes, &token(&server, &old)).await.is_ok());
    assert_eq!(server.asked_for_jwks(), 2);
    assert_eq!(server.asked_for_discovery(), 1);
}

/// A refusal is final, so a key is not refused only because other keys were fetched a moment ago.
#[tokio::test]
async fn a_key_that_is_rotated_right_after_the_first_fetch_is_fetched_all_the_same() {
    let (old, new, made_up) = (signer("1"), signer("2"), signer("made up"));
    let server = KeysServer::start(jwks(&[&old])).await;
    let client = ClientRegistration::new(&server.issuer, CLIENT).jwks_cooldown(LONG);
    let routes = routes(client).await;
    assert!(send(&routes, &token(&server, &old)).await.is_ok());
    server.publish(jwks(&[&old, &new]));
    let answer = send(&routes, &token(&server, &new)).await;
    assert!(answer.is_ok(), "{answer:?}");
    let answer = send(&routes, &token(&server, &made_up)).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(server.asked_for_jwks(), 2, "once in a cooldown");
}

#[tokio::test]
async fn over_tls_a_provider_is_trusted_by_its_certificate_alone() {
    let signer = signer("1");
    let (server, certificate) = KeysServer::start_with_tls(jwks(&[&signer])).await;
    let token = token(&server, &signer);
    let client = || ClientRegistration::new(&server.issuer, CLIENT).algorithms([Algorithm::Es256]);
    let stranger = routes(client()).await;
    assert_eq!(send(&stranger, &token).await.status, 503);
    assert_eq!(server.asked_for_discovery(), 0);

    let cache = TokenCache::in_memory().await.unwrap();
    let trusting = SignOutRoutes::builder(cache.clone())
        .client(client())
        .root_certificates(certificate)
        .build()
        .unwrap();
    let answer = send(&trusting, &token).await;
    assert!(answer.is_ok(), "{answer:?}");
    let broken = SignOutRoutes::builder(cache)
        .client(client())
        .root_certificates("no PEM");
    assert!(broken.build().is_err());
}

/// A provider that creates its key on start gives every key the same id, or no id.
#[tokio::test]
async fn a_key_in_the_place_of_another_is_fetched_when_a_signature_does_not_fit() {
    for header in [r#"{"alg":"ES256","kid":"1"}"#, r#"{"alg":"ES256"}"#] {
        let (old, new, nobody) = (signer("1"), signer("1"), signer("1"));
        let server = KeysServer::start(jwks(&[&old])).await;
        let client = || ClientRegistration::new(&server.issuer, CLIENT);
        let eager = routes(client().jwks_cooldown(Duration::ZERO)).await;
        let patient = routes(client().jwks_cooldown(LONG)).await;
        for routes in [&eager, &patient] {
            let answer = send(routes, &token_with(&server, &old, header)).await;
            assert!(answer.is_ok(), "{answer:?}");
        }
        let answer = send(&patient, &token_with(&server, &nobody, header)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        server.publish(jwks(&[&new]));
        let asked = server.asked_for_jwks();
        for _ in 0..5 {
            let answer = send(&patient, &token_with(&server, &new, header)).await;
            assert_eq!(answer.status, 503, "{answer:?}");
        }
        assert_eq!(server.asked_for_jwks(), asked, "within the cooldown");
        let answer = send(&eager, &token_with(&server, &new, header)).await;
        assert!(answer.is_ok(), "{answer:?}");
        let answer = send(&eager, &token_with(&server, &nobody, header)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
}

#[tokio::test]
async fn made_up_key_ids_make_nobody_ask_the_provider_again_within_the_cooldown() {
    let (good, made_up) = (signer("1"), signer("made up"));
    let server = KeysServer::start(jwks(&[&good])).await;
    let client = ClientRegistration::new(&server.issuer, CLIENT).jwks_cooldown(LONG);
    let routes = routes(client).await;
    let first = send(&routes, &token(&server, &made_up)).await;
    assert_eq!(first.status, 400, "the keys were fetched for it: {first:?}");
    let second = send(&routes, &token(&server, &made_up)).await;
    assert_eq!(second.status, 400, "and once more: {second:?}");
    for _ in 0..20 {
        let answer = send(&routes, &token(&server, &made_up)).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(
            answer.retry_after && answer.body.contains("a moment ago"),
            "{answer:?}"
        );
    }
    assert_eq!(server.asked_for_jwks(), 2, "the set, and once more");
    assert!(send(&routes, &token(&server, &good)).await.is_ok());
}

#[tokio::test]
async fn a_fixed_set_and_a_set_at_an_address_need_no_discovery() {
    let signer = signer("1");
    let server = KeysServer::start(jwks(&[&signer])).await;
    let token = token(&server, &signer);
    let fixed =
        routes(ClientRegistration::new(&server.issuer, CLIENT).jwks(jwks(&[&signer]))).await;
    assert!(send(&fixed, &token).await.is_ok());
    assert_eq!(server.asked_for_jwks(), 0);
    let address = format!("{}/somewhere", server.issuer);
    let at_address =
        routes(ClientRegistration::new(&server.issuer, CLIENT).jwks_uri(address)).await;
    assert!(send(&at_address, &token).await.is_ok());
    assert_eq!(server.asked_for_jwks(), 1);
    assert_eq!(server.asked_for_discovery(), 0);
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_to_send_again() {
    let signer = signer("1");
    let server = KeysServer::start(jwks(&[&signer])).await;
    let token = token(&server, &signer);
    let client = || ClientRegistration::new(&server.issuer, CLIENT);
    server.fail(http::StatusCode::INTERNAL_SERVER_ERROR);
    let first = routes(client()).await;
    for token in [&token, &token_of(&server, &signer, "eve")] {
        let answer = send(&first, token).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(
            answer.retry_after && answer.body.contains("500"),
            "{answer:?}"
        );
    }
    assert_eq!(server.asked_for_jwks(), 1, "it is left alone for a while");
    server.publish(jwks(&[&signer]));
    assert!(send(&routes(client()).await, &token).await.is_ok());

    for (name, wrong) in [
        (
            "another issuer's document",
            json!({"issuer": "https://id.example", "jwks_uri": server.issuer}),
        ),
        (
            "keys elsewhere on plain http",
            json!({"issuer": server.issuer, "jwks_uri": "http://192.0.2.1/jwks"}),
        ),
        ("no document", json!("none")),
    ] {
        server.describe(wrong.to_string());
        let answer = send(&routes(client()).await, &token).await;
        assert_eq!(answer.status, 503, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_key_set_that_is_huge_redirected_or_none_is_not_used() {
    let signer = signer("1");
    let server = KeysServer::start(jwks(&[&signer])).await;
    let token = token(&server, &signer);
    let address = format!("{}/jwks", server.issuer);
    let fresh = || routes(ClientRegistration::new(&server.issuer, CLIENT).jwks_uri(&address));
    let mut huge = jwks(&[&signer]);
    huge.push_str(&" ".repeat(256 * 1024));
    for wrong in [huge, "[]".to_owned(), String::new()] {
        server.publish(wrong);
        let answer = send(&fresh().await, &token).await;
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    server.publish(jwks(&[&signer]));
    server.redirect(&format!("{}/elsewhere", server.issuer));
    let asked = server.asked_for_jwks();
    assert_eq!(send(&fresh().await, &token).await.status, 503);
    assert_eq!(server.asked_for_jwks(), asked + 1, "not followed");
}

#[tokio::test]
async fn without_a_key_id_each_key_is_tried() {
    let (one, two, nobody) = (signer("1"), signer("2"), signer("3"));
    let server = KeysServer::start(jwks(&[&one, &two])).await;
    let routes = routes(ClientRegistration::new(&server.issuer, CLIENT)).await;
    let header = r#"{"alg":"ES256"}"#;
    for signer in [&one, &two] {
        let answer = send(&routes, &token_with(&server, signer, header)).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
    let forged = token_with(&server, &nobody, header);
    assert_eq!(send(&routes, &forged).await.status, 400);
}

/// A proxy of `HTTP_PROXY` could replace the keys and sign a logout token itself.
#[test]
fn keys_over_plain_http_come_through_no_proxy_of_the_environment() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", proxy.local_addr().unwrap());
    let test = "late_keys::keys_that_were_fetched_ahead_are_at_hand_for_the_first_message";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &url).env(name.to_lowercase(), &url);
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = child.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
