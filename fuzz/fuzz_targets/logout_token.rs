//! Handles random logout tokens: as sent, and as the claims or the header of a token that the provider signed.
#![no_main]

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use http::{Request, header};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use token_cache_fuzz::App;

static SIGN_OUTS: AtomicUsize = AtomicUsize::new(0);

static APP: LazyLock<App> = LazyLock::new(|| {
    App::new(|routes| {
        routes.on_sign_out(|_| async {
            SIGN_OUTS.fetch_add(1, Ordering::SeqCst);
        })
    })
});

fn signed(header: &[u8], claims: &[u8]) -> Vec<u8> {
    format!("logout_token={}", APP.signed(header, claims)).into_bytes()
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
    let answer = APP
        .runtime
        .block_on(APP.routes.back_channel_logout(request));
    assert!(!answer.status().is_server_error(), "{answer:?}");
    assert!(
        is_signed || SIGN_OUTS.load(Ordering::SeqCst) == 0,
        "it is not signed by the provider"
    );
});
