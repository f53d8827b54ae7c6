//! Unusual but valid keys and algorithms, with two readers: `openidconnect`, with which users sign in, and the routes,
//! with which their provider signs them out. Every user that can sign in can be signed out. Each difference has a
//! reason.

use openidconnect::{
    ClientId, IssuerUrl, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};
use token_cache_core::TokenCache;
use token_cache_sign_out::{Algorithm, ClientRegistration, SignOutRoutes};

use crate::{
    keys_server::KeysServer,
    rig::{Answer, CLIENT, EVENT, post},
    signer::{Signer, encoded},
};

/// The readers that accept the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Sign-in and sign-out.
    Both,
    /// Only the sign-out, which accepts more.
    SignOutOnly,
    Neither,
}

use Taken::{Both, Neither, SignOutOnly};

struct Row {
    name: &'static str,
    algorithm: Algorithm,
    /// Makes the key set from the provider's key.
    keys: fn(Value) -> Vec<Value>,
    /// Changes the token's header.
    header: fn(&mut Value),
    taken: Taken,
}

const fn row(
    name: &'static str,
    algorithm: Algorithm,
    keys: fn(Value) -> Vec<Value>,
    taken: Taken,
) -> Row {
    Row {
        name,
        algorithm,
        keys,
        header: |_| {},
        taken,
    }
}

const fn with_header(mut row: Row, header: fn(&mut Value)) -> Row {
    row.header = header;
    row
}

fn set(mut key: Value, name: &str, value: Value) -> Vec<Value> {
    key[name] = value;
    vec![key]
}

fn without(mut key: Value, name: &str) -> Vec<Value> {
    key.as_object_mut().unwrap().remove(name);
    vec![key]
}

fn decoded(key: &Value, name: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap()
}

/// Returns the key with a leading zero in the number.
fn zero_in_front(key: Value, name: &str) -> Vec<Value> {
    let number = [vec![0], decoded(&key, name)].concat();
    set(key, name, encoded(number).into())
}

fn padded(key: Value, name: &str) -> Vec<Value> {
    let mut text = key[name].as_str().unwrap().to_owned();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    set(key, name, text.into())
}

/// Returns the key among keys of all other kinds and invalid keys.
fn among_others(key: Value) -> Vec<Value> {
    vec![
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "new", "kid": "1"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "2"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AAAA", "use": "enc"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AAAA", "y": "AAAA", "kid": "3"}),
        json!({"kid": "4"}),
        key,
    ]
}

fn other_of(algorithm: Algorithm) -> Value {
    Signer::new("1", algorithm).jwk()
}

fn small_rsa(_: Value) -> Vec<Value> {
    vec![json!({"kty": "RSA", "n": encoded([0xc5; 128]), "e": "AQAB", "kid": "1"})]
}

use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // every algorithm
    row("RS256", Rs256, |key| vec![key], Both),
    row("RS384", Rs384, |key| vec![key], Both),
    row("RS512", Rs512, |key| vec![key], Both),
    row("PS256", Ps256, |key| vec![key], Both),
    row("PS384", Ps384, |key| vec![key], Both),
    row("PS512", Ps512, |key| vec![key], Both),
    row("ES256", Es256, |key| vec![key], Both),
    row("ES384", Es384, |key| vec![key], Both),
    row("EdDSA", EdDsa, |key| vec![key], Both),
    // `openidconnect` 4 does not know the name of RFC 9864.
    with_header(row("a token with the alg Ed25519", EdDsa, |key| vec![key], SignOutOnly), |header| header["alg"] = "Ed25519".into()),
    row("a key with the alg Ed25519", EdDsa, |key| set(key, "alg", "Ed25519".into()), SignOutOnly),
    // numbers
    row("a zero in front of n", Rs256, |key| zero_in_front(key, "n"), Both),
    row("a zero in front of e", Rs256, |key| zero_in_front(key, "e"), Both),
    row("n with padding", Rs256, |key| padded(key, "n"), SignOutOnly),
    row("a zero in front of x", Es256, |key| zero_in_front(key, "x"), SignOutOnly),
    // what the key is for
    row("no use", Rs256, |key| without(key, "use"), Both),
    row("use null", Rs256, |key| set(key, "use", Value::Null), Both),
    row("use enc", Rs256, |key| set(key, "use", "enc".into()), Neither),
    row("another use", Rs256, |key| set(key, "use", "tls".into()), Neither),
    row("key_ops empty", Rs256, |key| set(key, "key_ops", json!([])), Both),
    row("key_ops verify", Rs256, |key| set(key, "key_ops", json!(["verify"])), Both),
    row("key_ops sign", Rs256, |key| set(key, "key_ops", json!(["sign"])), Both),
    row("key_ops unknown", Rs256, |key| set(key, "key_ops", json!(["x", 7])), Both),
    row("key_ops null", Rs256, |key| set(key, "key_ops", Value::Null), Both),
    row("no alg", Rs256, |key| without(set(key, "alg", "RS256".into()).remove(0), "alg"), Both),
    row("alg null", Rs256, |key| set(key, "alg", Value::Null), Both),
    row("the alg", Rs256, |key| set(key, "alg", "RS256".into()), Both),
    row("the alg of PSS", Ps256, |key| set(key, "alg", "PS256".into()), Both),
    row("another alg", Rs256, |key| set(key, "alg", "RS384".into()), Neither),
    row("an alg of encryption", Rs256, |key| set(key, "alg", "RSA-OAEP".into()), Neither),
    row("an unknown alg", Rs256, |key| set(key, "alg", "X1".into()), Neither),
    // certificates and unknown members
    row("x5c, x5t and x5u", Rs256, |mut key| { key["x5c"] = json!(["MIIB"]); key["x5t"] = "AAAA".into(); key["x5u"] = "https://id.example/c".into(); vec![key] }, Both),
    row("x5c null", Rs256, |key| set(key, "x5c", Value::Null), Both),
    row("nbf, exp and iat of the key", Rs256, |mut key| { key["exp"] = 1.into(); key["nbf"] = "x".into(); vec![key] }, Both),
    row("a private exponent beside it", Rs256, |key| set(key, "d", "AAAA".into()), Both),
    row("members of another kind of key", Rs256, |mut key| { key["crv"] = "P-256".into(); key["x"] = 7.into(); vec![key] }, Both),
    // ids
    with_header(row("kid null, and none in the token", Rs256, |key| set(key, "kid", Value::Null), Both), |header| { header.as_object_mut().unwrap().remove("kid"); }),
    with_header(row("kid null in both", Rs256, |key| set(key, "kid", Value::Null), Both), |header| header["kid"] = Value::Null),
    with_header(row("no kid in the token", Rs256, |key| vec![key], Both), |header| { header.as_object_mut().unwrap().remove("kid"); }),
    row("no kid in the key", Rs256, |key| without(key, "kid"), Neither),
    // `openidconnect` 4 does not read a header whose `kid` is a number.
    with_header(row("kid a number in both", Rs256, |key| set(key, "kid", 1.into()), SignOutOnly), |header| header["kid"] = 1.into()),
    row("a kid of 300 characters of Unicode", Rs256, |key| { let mut keys = vec![key.clone()]; keys.extend(set(key, "kid", "ü".repeat(300).into())); keys }, Both),
    row("one kid for keys of two kinds", Rs256, |key| vec![other_of(Es256), key], Both),
    // `openidconnect` 4 does not try several keys.
    row("one kid for two keys of a kind", Es256, |key| vec![other_of(Es256), key], SignOutOnly),
    row("one kid for two keys, one of encryption", Rs256, |key| { let mut keys = set(key.clone(), "use", "enc".into()); keys.push(key); keys }, Both),
    with_header(row("no kid in the token, and two keys of a kind", Es384, |key| vec![other_of(Es384), key], SignOutOnly), |header| { header.as_object_mut().unwrap().remove("kid"); }),
    with_header(row("no kid in the token, and keys of other kinds", Rs384, among_others, Both), |header| { header.as_object_mut().unwrap().remove("kid"); }),
    // `openidconnect` 4 does not try keys of two curves.
    with_header(row("no kid in the token, and a key of another curve", Es384, among_others, SignOutOnly), |header| { header.as_object_mut().unwrap().remove("kid"); }),
    // sets
    row("among others", Rs256, among_others, Both),
    row("among others, on a curve", EdDsa, among_others, Both),
    row("before a key that cannot be read", Rs256, |key| vec![key, json!({"kty": "RSA", "n": 7}), json!({"kty": 7})], Both),
    row("behind what is no key", Rs256, |key| vec![Value::Null, json!("x"), json!([]), key], Both),
    row("the same key twice", Ps512, |key| vec![key.clone(), key], SignOutOnly),
    // no key of the signer
    row("another curve's key", Es256, |_| vec![other_of(Es384)], Neither),
    row("a key of 1024 bits that did not sign", Rs256, small_rsa, Neither),
    row("no key", Rs256, |_| Vec::new(), Neither),
];

fn core(algorithm: Algorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        Rs384 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        Rs512 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        Ps384 => CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        Ps512 => CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        Es384 => CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        EdDsa => CoreJwsSigningAlgorithm::EdDsa,
        _ => unreachable!("there are nine"),
    }
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// Returns `true` if the app's own library verifies an ID token.
fn signs_in(row: &Row, signer: &Signer, issuer: &str, jwks: &str, header: &str) -> bool {
    let claims = json!({
        "iss": issuer, "aud": CLIENT, "sub": "ada", "iat": now(), "exp": now() + 60, "nonce": "n",
    });
    let token = signer.sign(header, &claims.to_string());
    let Ok(token) = serde_json::from_value::<CoreIdToken>(token.into()) else {
        return false;
    };
    let keys: CoreJsonWebKeySet = serde_json::from_str(jwks).unwrap();
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(CLIENT.to_owned()),
        IssuerUrl::new(issuer.to_owned()).unwrap(),
        keys,
    );
    let verifier = verifier.set_allowed_algs([core(row.algorithm)]);
    token.claims(&verifier, &Nonce::new("n".to_owned())).is_ok()
}

/// Returns `true` if the routes accept a logout token by default, with the keys fetched over HTTP.
async fn signs_out(row: &Row, signer: &Signer, server: &KeysServer, header: &str) -> bool {
    let cache = TokenCache::in_memory().await.unwrap();
    let routes = SignOutRoutes::builder(cache)
        .client(ClientRegistration::new(&server.issuer, CLIENT))
        .build()
        .unwrap();
    let claims = json!({
        "iss": server.issuer, "aud": CLIENT, "sub": "ada", "iat": now(), "exp": now() + 60, "jti": "1",
        "events": {EVENT: {}},
    });
    let token = signer.sign(header, &claims.to_string());
    let answer = Answer::of(routes.back_channel_logout(post(&token)).await);
    assert!(
        answer.is_ok() || answer.status == 400,
        "{}: {answer:?}",
        row.name
    );
    answer.is_ok()
}

#[tokio::test]
async fn who_can_sign_in_can_be_signed_out() {
    let server = KeysServer::start(String::new()).await;
    for row in TABLE {
        let signer = Signer::new("1", row.algorithm);
        let jwks = json!({"keys": (row.keys)(signer.jwk())}).to_string();
        server.publish(jwks.clone());
        let mut header = json!({"alg": signer.alg(), "kid": "1"});
        (row.header)(&mut header);
        let header = header.to_string();
        let taken = (
            signs_in(row, &signer, &server.issuer, &jwks, &header),
            signs_out(row, &signer, &server, &header).await,
        );
        let expected = match row.taken {
            Both => (true, true),
            SignOutOnly => (false, true),
            Neither => (false, false),
        };
        assert_eq!(taken, expected, "{}: (signs in, is signed out)", row.name);
    }
}
