use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::servers::ServerError;

/// What a request to a provider's administration carries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    None,
    Form(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
}

/// Sends one request, and returns the JSON of a successful response, or null if that has no JSON.
///
/// # Errors
/// There is no response, or one that is no success: the text has its body.
pub(super) fn send(
    method: &Method,
    url: &str,
    authorization: Option<&str>,
    body: Body<'_>,
) -> Result<Value, ServerError> {
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
    for (name, value) in [(AUTHORIZATION, authorization), (CONTENT_TYPE, content_type)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
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
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(ServerError::during(&what))?
            .to_bytes();
        if status.is_success() {
            return Ok(serde_json::from_slice(&body).unwrap_or_default());
        }
        let text = String::from_utf8_lossy(&body);
        Err(ServerError::new(format!("{what}: {status}: {text}")))
    })
}
