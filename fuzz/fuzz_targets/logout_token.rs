//! What is posted for a logout token: as it comes, and as the claims or the header of a token that the provider signed.
#![no_main]

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

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
    provider: Ed25519KeyPair,
}

static SIGN_OUTS: AtomicUsize = AtomicUsize::new(0);

static APP: LazyLock<App> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    let provider = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
    let public = URL_SAFE_NO_PAD.encode(provider.public_key());
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
        .on_signed_out(|_| async {
            SIGN_OUTS.fetch_add(1, Ordering::SeqCst);
        })
        .build()
        .expect("the settings are good");
    App {
        runtime,
        routes,
        provider,
    }
});

fn signed(header: &[u8], claims: &[u8]) -> Vec<u8> {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = APP.provider.sign(input.as_bytes());
    format!("logout_token={input}.{}", URL_SAFE_NO_PAD.encode(signature)).into_bytes()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let is_signed = kind % 3 != 0;
    let form = match kind % 3 {
        0 => bytes.to_vec(),
        1 => signed(br#"{"alg":"EdDSA"}"#, bytes),
        _ => signed(
            bytes,
            br#"{"iss":"https://id.example","aud":"shop","iat":1}"#,
        ),
    };
    let request = Request::post("/backchannel-logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(bytes::Bytes::from(form)))
        .expect("a request");
    let answer = APP.runtime.block_on(APP.routes.back_channel(request));
    assert!(!answer.status().is_server_error(), "{answer:?}");
    assert!(
        is_signed || SIGN_OUTS.load(Ordering::SeqCst) == 0,
        "nobody signed it"
    );
});
