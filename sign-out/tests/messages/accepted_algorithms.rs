//! The algorithms that a client accepts by default: all that its users can sign in with and the provider's published
//! keys verify.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use openidconnect::{
    ClientId, IssuerUrl, JsonWebKeyId, Nonce, PrivateSigningKey,
    core::{
        CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
        CoreRsaPrivateSigningKey,
    },
};
use ring::hmac;
use serde_json::{Value, json};
use token_cache_core::TokenCache;
use token_cache_sign_out::{Algorithm, ClientRegistration, KeyFetch, SignOutRoutes};

use crate::{
    keys::send,
    keys_server::KeysServer,
    log::Log,
    rig::{CLIENT, EVENT},
    signer::{Signer, encoded, jwks},
};

/// A key for this test only, in PKCS #1, because the libraries of the tests generate no such short key.
const RSA_1024: &[u8] = include_bytes!("rsa1024.pk1");

async fn routes(client: ClientRegistration) -> SignOutRoutes {
    let cache = TokenCache::in_memory().await.unwrap();
    SignOutRoutes::builder(cache)
        // A token with an unknown key is refused at once instead of after the cooldown.
        .client(client.jwks_cooldown(Duration::ZERO))
        .key_fetch(KeyFetch::OnDemand)
        .build()
        .unwrap()
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn logout_claims(issuer: &str) -> String {
    let claims = json!({
        "iss": issuer, "aud": CLIENT, "sub": "ada", "iat": now(), "exp": now() + 60, "jti": "1",
        "events": {EVENT: {}},
    });
    claims.to_string()
}

/// Returns a token with this header, whose signature is an HMAC with `key`.
fn hmac_token(algorithm: hmac::Algorithm, name: &str, key: &[u8], claims: &str) -> String {
    let header = json!({"alg": name, "kid": "1"}).to_string();
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let key = hmac::Key::new(algorithm, key);
    format!("{signed}.{}", encoded(hmac::sign(&key, signed.as_bytes())))
}

/// A provider's public key is not secret, and neither are its encodings.
#[tokio::test]
async fn a_public_key_never_verifies_an_algorithm_of_another_kind() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let signer = Signer::new("1", algorithm);
        let server = KeysServer::start(jwks(&[&signer])).await;
        let routes = routes(ClientRegistration::new(&server.issuer, CLIENT)).await;
        let claims = logout_claims(&server.issuer);
        let good = signer.sign(
            &json!({"alg": signer.alg(), "kid": "1"}).to_string(),
            &claims,
        );
        assert!(send(&routes, &good).await.is_ok(), "{algorithm:?}");

        let jwk = signer.jwk();
        let mut keys = vec![jwk.to_string().into_bytes(), Vec::new()];
        for member in ["n", "x"] {
            if let Some(text) = jwk[member].as_str() {
                keys.push(text.as_bytes().to_vec());
                keys.push(
                    base64::prelude::BASE64_URL_SAFE_NO_PAD
                        .decode(text)
                        .unwrap(),
                );
            }
        }
        for key in &keys {
            for (hmac, name) in [
                (hmac::HMAC_SHA256, "HS256"),
                (hmac::HMAC_SHA384, "HS384"),
                (hmac::HMAC_SHA512, "HS512"),
            ] {
                let token = hmac_token(hmac, name, key, &claims);
                let answer = send(&routes, &token).await;
                assert_eq!(answer.status, 400, "{algorithm:?} {name}: {answer:?}");
            }
        }
        for other in [
            "none", "None", "", "HS256", "RS256", "RS384", "PS256", "ES256", "ES384", "ES512",
            "EdDSA",
        ] {
            if other == signer.alg() {
                continue;
            }
            let header = json!({"alg": other, "kid": "1"}).to_string();
            for token in [
                signer.sign(&header, &claims),
                format!("{}.{}.", encoded(&header), encoded(&claims)),
            ] {
                let answer = send(&routes, &token).await;
                assert_eq!(answer.status, 400, "{algorithm:?} {other}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_with_an_alg_verifies_no_other_one() {
    for (own, other) in [
        (Algorithm::Rs256, Algorithm::Rs384),
        (Algorithm::Rs256, Algorithm::Ps256),
        (Algorithm::Ps256, Algorithm::Rs256),
    ] {
        let (own, other) = (Signer::new("1", own), Signer::new("1", other));
        let mut jwk = own.jwk();
        jwk["alg"] = own.alg().into();
        let server = KeysServer::start(json!({"keys": [jwk]}).to_string()).await;
        let routes = routes(ClientRegistration::new(&server.issuer, CLIENT)).await;
        for (signer, status) in [(own, 200), (other, 400)] {
            let header = json!({"alg": signer.alg(), "kid": "1"}).to_string();
            let token = signer.sign(&header, &logout_claims(&server.issuer));
            let answer = send(&routes, &token).await;
            assert_eq!(answer.status, status, "{}: {answer:?}", signer.alg());
        }
    }
}

/// RFC 7518 section 3.3 forbids such a key, and `openidconnect` accepts it. The log states why the provider's messages
/// are refused.
#[tokio::test]
async fn a_key_of_1024_bits_signs_users_in_and_the_log_says_why_not_out() {
    let text = STANDARD.encode(RSA_1024);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let (label, lines) = ("RSA PRIVATE KEY", lines.join("\n"));
    let pem = format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n");
    let kid = Some(JsonWebKeyId::new("1".to_owned()));
    let key = CoreRsaPrivateSigningKey::from_pem(&pem, kid).unwrap();
    let sign = |claims: &str| {
        let header = json!({"alg": "RS256", "kid": "1"}).to_string();
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let algorithm = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
        let signature = key.sign(&algorithm, signed.as_bytes()).unwrap();
        format!("{signed}.{}", encoded(signature))
    };
    let keys = CoreJsonWebKeySet::new(vec![key.as_verification_key()]);
    let server = KeysServer::start(serde_json::to_string(&keys).unwrap()).await;

    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(CLIENT.to_owned()),
        IssuerUrl::new(server.issuer.clone()).unwrap(),
        keys,
    );
    let claims = json!({
        "iss": server.issuer, "aud": CLIENT, "sub": "ada", "iat": now(), "exp": now() + 60, "nonce": "n",
    });
    let id_token: CoreIdToken =
        serde_json::from_value(Value::String(sign(&claims.to_string()))).unwrap();
    let nonce = Nonce::new("n".to_owned());
    assert!(id_token.claims(&verifier, &nonce).is_ok());

    let log = Log::start();
    let routes = routes(ClientRegistration::new(&server.issuer, CLIENT)).await;
    let answer = send(&routes, &sign(&logout_claims(&server.issuer))).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let lines = log.take();
    let skipped = lines
        .iter()
        .find(|line| line.event == "provider_key_skipped");
    let skipped = skipped.unwrap_or_else(|| panic!("{lines:?}"));
    assert!(skipped.text.contains("under 2048 bits"), "{skipped:?}");
}

#[tokio::test]
async fn a_provider_that_signs_with_nothing_accepted_is_logged_once_when_its_document_is_fetched() {
    for (listed, restricted, expected) in [
        (json!(["ES512"]), None, Some("ES512")),
        (json!(["HS256"]), None, Some("HS256")),
        (
            json!(["ES256"]),
            Some(Algorithm::Rs256),
            Some("accept RS256:"),
        ),
        (json!(["ES256"]), None, None),
        (json!(["ES512", "RS256"]), None, None),
    ] {
        let server = KeysServer::start(jwks(&[])).await;
        let issuer = &server.issuer;
        let document = json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"),
            "id_token_signing_alg_values_supported": listed,
        });
        server.describe(document.to_string());
        let client = ClientRegistration::new(issuer, CLIENT);
        let client = match restricted {
            Some(algorithm) => client.algorithms([algorithm]),
            None => client,
        };
        let log = Log::start();
        let routes = routes(client).await;
        routes.fetch_keys().await.unwrap();
        routes.fetch_keys().await.unwrap();
        let lines = log.take();
        let warned: Vec<_> = lines
            .iter()
            .filter(|line| line.event == "provider_algorithm_not_accepted")
            .collect();
        assert_eq!(warned.len(), usize::from(expected.is_some()), "{lines:?}");
        if let Some(expected) = expected {
            assert!(warned[0].text.contains(expected), "{warned:?}");
        }
    }
}
