//! What is pushed for a security event: as it comes, and as the claims or the header of one that the transmitter signed.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, header};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use token_cache_core::TokenCache;
use token_cache_sign_out::{Algorithm, Client, SignOutRoutes};

struct App {
    runtime: tokio::runtime::Runtime,
    routes: SignOutRoutes,
    transmitter: Ed25519KeyPair,
}

static APP: LazyLock<App> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    let transmitter = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
    let public = URL_SAFE_NO_PAD.encode(transmitter.public_key());
    let cache = runtime
        .block_on(TokenCache::in_memory())
        .expect("a cache of this process");
    let client = Client::new("https://id.example", "shop")
        .algorithms([Algorithm::EdDsa])
        .keys(format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{public}"}}]}}"#
        ));
    let routes = SignOutRoutes::builder(cache)
        .client(client)
        .build()
        .expect("the settings are good");
    App {
        runtime,
        routes,
        transmitter,
    }
});

fn signed(header: &[u8], claims: &[u8]) -> Vec<u8> {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = APP.transmitter.sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)).into_bytes()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let body = match kind % 3 {
        0 => bytes.to_vec(),
        1 => signed(br#"{"alg":"EdDSA","typ":"secevent+jwt"}"#, bytes),
        _ => signed(
            bytes,
            br#"{"iss":"https://id.example","aud":"shop","iat":1}"#,
        ),
    };
    let request = Request::post("/security-events")
        .header(header::CONTENT_TYPE, "application/secevent+jwt")
        .body(Full::new(bytes::Bytes::from(body)))
        .expect("a request");
    let answer = APP.runtime.block_on(APP.routes.security_event(request));
    assert!(!answer.status().is_server_error(), "{answer:?}");
});
