use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

/// The behaviour of the provider.
pub(crate) enum Answer {
    /// Sends this response.
    Given(Response<UnsyncBoxBody<Bytes, Infallible>>),
    /// Closes the connection.
    BrokenOff,
    /// Never responds.
    Never,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Self {
        Self::with_body(status, headers, Full::new(Bytes::from(body.into())))
    }

    pub(crate) fn with_body(
        status: u16,
        headers: &[(&str, &str)],
        body: impl Body<Data = Bytes, Error = Infallible> + Send + 'static,
    ) -> Self {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Self::Given(response.body(body.boxed_unsync()).unwrap())
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(
            status,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }
}

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: BTreeMap<String, String>,
}

type Script = dyn Fn(&Received) -> Answer + Send + Sync;

/// A scripted provider on the loopback interface, which records its requests.
pub(crate) struct Server {
    base: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(crate) async fn start(
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, script).await
    }

    pub(crate) async fn with_tls(
        acceptor: tokio_rustls::TlsAcceptor,
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(acceptor), script).await
    }

    async fn listen(
        acceptor: Option<tokio_rustls::TlsAcceptor>,
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let port = listener.local_addr().unwrap().port();
        let base = format!("{scheme}://127.0.0.1:{port}");
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let script: Arc<Script> = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, script, kept).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, script, kept).await;
                            }
                        }
                    }
                });
            }
        });
        Self { base, received }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.base).parse().unwrap()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    script: Arc<Script>,
    kept: Arc<Mutex<Vec<Received>>>,
) {
    let service = service_fn(|request| answer(request, Arc::clone(&script), Arc::clone(&kept)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // The client reports the error.
    let _ = connection.await;
}

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection breaks")
    }
}

impl std::error::Error for Broken {}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Script>,
    kept: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let received = Received {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        form: form_urlencoded::parse(&body).into_owned().collect(),
    };
    kept.lock().unwrap().push(received.clone());
    match script(&received) {
        Answer::Given(response) => Ok(response),
        Answer::BrokenOff => Err(Broken),
        Answer::Never => std::future::pending().await,
    }
}
