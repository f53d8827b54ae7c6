use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::grants::Minted;

pub(super) type Answer = Response<Full<Bytes>>;

/// Returns a token response (RFC 6749 section 5.1), with one additional member of the provider's own.
pub(super) fn tokens(minted: &Minted, lifetime: Duration) -> Value {
    let mut response = json!({
        "access_token": minted.access_token,
        "token_type": "Bearer",
        "expires_in": lifetime.as_secs(),
        "scope": "openid mail",
        "tenant": "acme",
    });
    if let Some(refresh_token) = &minted.refresh_token {
        response["refresh_token"] = refresh_token.as_str().into();
    }
    response
}

/// Returns an error response (RFC 6749 section 5.2).
pub(super) fn error(status: StatusCode, code: &str) -> Answer {
    json(
        status,
        &json!({"error": code, "error_description": "as the test wants it"}),
    )
}

pub(super) fn busy(status: StatusCode, retry_after: Option<u64>) -> Answer {
    let mut answer = empty(status);
    if let Some(seconds) = retry_after {
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

pub(super) fn json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = text(status, body.to_string());
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

pub(super) fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let never = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(CACHE_CONTROL, never);
    answer
}

pub(super) fn empty(status: StatusCode) -> Answer {
    text(status, String::new())
}
