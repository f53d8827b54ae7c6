use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// Returns a response that caches do not store.
pub(crate) fn no_store_response(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[expect(
    clippy::expect_used,
    reason = "a serialized URL and a checked path are visible ASCII"
)]
pub(crate) fn redirect(to: &str) -> Response<Bytes> {
    let mut response = no_store_response(StatusCode::SEE_OTHER, Bytes::new());
    let mut to = HeaderValue::from_str(to).expect("a URL of visible ASCII");
    // The URL may contain the ID token.
    to.set_sensitive(true);
    response.headers_mut().insert(header::LOCATION, to);
    response
}

pub(crate) fn set_cookie(response: &mut Response<Bytes>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

pub(crate) fn method_not_allowed(allowed: &'static str) -> Response<Bytes> {
    let mut response = no_store_response(StatusCode::METHOD_NOT_ALLOWED, Bytes::new());
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

pub(crate) fn plain_text_response(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = no_store_response(status, text);
    let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, text_plain);
    response
}

/// Tells the sender to repeat the request after a second.
pub(crate) fn retry_soon(response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
}
