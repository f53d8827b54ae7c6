//! Handles random security events: as sent, and as the claims or the header of a token that the transmitter signed.
#![no_main]

use std::sync::LazyLock;

use http::{Request, header};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use token_cache_fuzz::App;

static APP: LazyLock<App> = LazyLock::new(|| App::new(|routes| routes));

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let body = match kind % 3 {
        0 => bytes.to_vec(),
        1 => APP
            .signed(br#"{"alg":"EdDSA","typ":"secevent+jwt"}"#, bytes)
            .into_bytes(),
        _ => APP
            .signed(
                bytes,
                br#"{"iss":"https://id.example","aud":"shop","iat":1}"#,
            )
            .into_bytes(),
    };
    let request = Request::post("/security-events")
        .header(header::CONTENT_TYPE, "application/secevent+jwt")
        .body(Full::new(bytes::Bytes::from(body)))
        .expect("the request is valid");
    let answer = APP.runtime.block_on(APP.routes.security_event(request));
    assert!(!answer.status().is_server_error(), "{answer:?}");
});
