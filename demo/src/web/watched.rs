use axum::http::request::Parts;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use token_cache::{Result, sign_out::read_cookie};

use super::server::Server;

/// Names the user of this browser's last sign-in, so that the page can show what the plain cache holds of theirs after a sign-out.
pub(crate) const WATCHED: &str = "token-cache-demo-watched";

pub(crate) fn watched(server: &Server, request: &Parts) -> Result<Option<String>> {
    let value = read_cookie(request, &server.cookies.full(WATCHED))?;
    Ok(value.and_then(|value| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        String::from_utf8(bytes).ok()
    }))
}
