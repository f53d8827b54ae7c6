use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HeaderMap, LOCATION, TRANSFER_ENCODING,
};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::listening::Listening;
use crate::servers::ServerError;

/// One request and its response, both complete.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Exchange {
    /// The path and the query of the request.
    pub path: String,
    /// The request's body, as text.
    pub body: String,
    /// The status of the response.
    pub status: u16,
    /// The address to which the response redirects.
    pub location: Option<String>,
    /// The response's body, as text.
    pub answer: String,
}

impl Exchange {
    /// Returns a field of the request's form.
    pub fn field(&self, name: &str) -> Option<String> {
        value_of(self.body.as_bytes(), name)
    }

    /// Returns a parameter of the request's query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        value_of(query.as_bytes(), name)
    }

    /// Parses the response's body as JSON.
    ///
    /// # Errors
    /// The body is not JSON of this shape. The message quotes it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ServerError> {
        let what = format!("the response to {}: {}", self.path, self.answer);
        serde_json::from_str(&self.answer).map_err(ServerError::during(what))
    }
}

fn value_of(form: &[u8], name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(form);
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    Some(value.into_owned())
}

/// A reverse proxy on a loopback port that records what it forwards. It does not change the `Host` header, so that the server behind it can
/// use the proxy's address as its own.
#[derive(Debug)]
pub(super) struct Recorder {
    recorded: Arc<Mutex<Vec<Exchange>>>,
    _listening: Listening,
}

impl Recorder {
    /// Listens at `address` and forwards requests to `upstream`.
    ///
    /// # Errors
    /// The port is taken.
    pub(super) fn start(address: SocketAddr, upstream: SocketAddr) -> Result<Self, ServerError> {
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let proxy = Arc::new(Proxy {
            upstream,
            client: Client::builder(TokioExecutor::new()).build_http(),
            recorded: Arc::clone(&recorded),
        });
        let listening = Listening::start(address, move |request| {
            let proxy = Arc::clone(&proxy);
            async move { proxy.pass(request).await }
        })?;
        Ok(Self {
            recorded,
            _listening: listening,
        })
    }

    /// Returns what was forwarded so far to paths with this ending, oldest first.
    pub(super) fn at(&self, path_end: &str) -> Vec<Exchange> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = |exchange: &&Exchange| {
            let path = exchange.path.split('?').next();
            path.is_some_and(|path| path.ends_with(path_end))
        };
        recorded.iter().filter(is_there).cloned().collect()
    }
}

struct Proxy {
    upstream: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    recorded: Arc<Mutex<Vec<Exchange>>>,
}

impl Proxy {
    async fn pass(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let path = parts
            .uri
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string);
        parts.headers = end_to_end(parts.headers);
        // A compressed body could not be recorded as text.
        parts.headers.remove(ACCEPT_ENCODING);
        let answered = self
            .send(&path, Request::from_parts(parts, Full::new(body.clone())))
            .await;
        let (head, answer) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                let mut response = Response::new(Full::new(Bytes::from(error.to_string())));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                return Ok(response);
            }
        };
        let location = head.headers.get(LOCATION);
        let exchange = Exchange {
            path,
            body: String::from_utf8_lossy(&body).into_owned(),
            status: head.status.as_u16(),
            location: location.and_then(|it| it.to_str().ok()).map(str::to_owned),
            answer: String::from_utf8_lossy(&answer).into_owned(),
        };
        self.recorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(exchange);
        Ok(Response::from_parts(head, Full::new(answer)))
    }

    async fn send(
        &self,
        path: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(hyper::http::response::Parts, Bytes), ServerError> {
        let failed = || format!("{} behind the recording proxy", self.upstream);
        let uri: Uri = format!("http://{}{path}", self.upstream)
            .parse()
            .map_err(ServerError::during(failed()))?;
        *request.uri_mut() = uri;
        let response = self
            .client
            .request(request)
            .await
            .map_err(ServerError::during(failed()))?;
        let (mut parts, body) = response.into_parts();
        parts.headers = end_to_end(parts.headers);
        let body = body
            .collect()
            .await
            .map_err(ServerError::during(failed()))?;
        Ok((parts, body.to_bytes()))
    }
}

/// Removes the headers that belong to one connection or to one length of body.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for own in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(own);
    }
    headers
}
