use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use hyper::http::response::Parts;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::servers::ServerError;

/// The body of a request to a provider's administration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    None,
    Form(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
}

/// The credentials of a request to a provider's administration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credentials<'a> {
    None,
    Authorization(&'a str),
    Cookie(&'a str),
}

/// Sends one request, and returns the JSON of a successful response, or null if that has no JSON.
///
/// # Errors
/// There is no response, or it is not a success. The message contains its body.
pub(super) fn send(
    method: &Method,
    url: &str,
    credentials: Credentials<'_>,
    body: Body<'_>,
) -> Result<Value, ServerError> {
    exchange(method, url, credentials, body).map(|(_, body)| body)
}

/// Signs in by one request, and returns the cookie that the response sets.
///
/// # Errors
/// As [`send`], or the response sets no cookie.
pub(super) fn sign_in(url: &str, body: Body<'_>) -> Result<String, ServerError> {
    let (head, _) = exchange(&Method::POST, url, Credentials::None, body)?;
    let set = head.headers.get(SET_COOKIE);
    let cookie = set.and_then(|set| set.to_str().ok()?.split(';').next());
    cookie
        .map(str::to_owned)
        .ok_or_else(|| ServerError::new(format!("POST {url}: no cookie")))
}

fn exchange(
    method: &Method,
    url: &str,
    credentials: Credentials<'_>,
    body: Body<'_>,
) -> Result<(Parts, Value), ServerError> {
    let what = format!("{method} {url}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServerError::during(&what))?;
    let (content_type, body) = match body {
        Body::None => (None, String::new()),
        Body::Form(fields) => {
            let form = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            (Some("application/x-www-form-urlencoded"), form)
        }
        Body::Json(value) => (Some("application/json"), value.to_string()),
    };
    let mut request = Request::builder().method(method).uri(url);
    let credentials = match credentials {
        Credentials::None => None,
        Credentials::Authorization(value) => Some((AUTHORIZATION, value)),
        Credentials::Cookie(value) => Some((COOKIE, value)),
    };
    let content_type = content_type.map(|value| (CONTENT_TYPE, value));
    for (name, value) in credentials.into_iter().chain(content_type) {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(ServerError::during(&what))?;
    runtime.block_on(async {
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build_http();
        let response = client
            .request(request)
            .await
            .map_err(ServerError::during(&what))?;
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(ServerError::during(&what))?
            .to_bytes();
        if head.status.is_success() {
            return Ok((head, serde_json::from_slice(&body).unwrap_or_default()));
        }
        let text = String::from_utf8_lossy(&body);
        Err(ServerError::new(format!("{what}: {}: {text}", head.status)))
    })
}
