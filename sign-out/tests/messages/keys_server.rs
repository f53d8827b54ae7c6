//! A provider's two documents, over real HTTP on loopback. It counts the requests and responds as configured.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

pub(crate) struct KeysServer {
    pub(crate) issuer: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    discovery: Mutex<Said>,
    jwks: Mutex<Said>,
    asked_for_discovery: AtomicUsize,
    asked_for_jwks: AtomicUsize,
    /// Responses wait until this is `true`.
    open: watch::Sender<bool>,
}

#[derive(Clone)]
struct Said {
    status: StatusCode,
    location: Option<String>,
    body: Bytes,
}

impl Said {
    fn ok(body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            location: None,
            body: body.into(),
        }
    }
}

impl KeysServer {
    pub(crate) async fn start(jwks: String) -> Self {
        Self::with(jwks, None).await
    }

    /// Starts a server on `https`. Returns it with its self-signed certificate.
    pub(crate) async fn start_with_tls(jwks: String) -> (Self, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        (Self::with(jwks, Some(tls)).await, cert.pem())
    }

    async fn with(jwks: String, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let issuer = format!("{scheme}://{}", listener.local_addr().unwrap());
        let document = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")});
        let shared = Arc::new(Shared {
            discovery: Mutex::new(Said::ok(document.to_string())),
            jwks: Mutex::new(Said::ok(jwks)),
            asked_for_discovery: AtomicUsize::new(0),
            asked_for_jwks: AtomicUsize::new(0),
            open: watch::channel(true).0,
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                let tls = tls.clone();
                tokio::spawn(async move {
                    let http = http1::Builder::new();
                    // A client that does not trust the certificate disconnects.
                    let _ = match tls {
                        None => http.serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else {
                                return;
                            };
                            http.serve_connection(TokioIo::new(stream), service).await
                        }
                    };
                });
            }
        });
        Self {
            issuer,
            shared,
            task,
        }
    }

    pub(crate) fn publish(&self, jwks: impl Into<Bytes>) {
        *self.shared.jwks.lock().unwrap() = Said::ok(jwks);
    }

    pub(crate) fn describe(&self, document: impl Into<Bytes>) {
        *self.shared.discovery.lock().unwrap() = Said::ok(document);
    }

    pub(crate) fn fail(&self, status: StatusCode) {
        self.shared.jwks.lock().unwrap().status = status;
    }

    pub(crate) fn redirect(&self, location: &str) {
        let mut jwks = self.shared.jwks.lock().unwrap();
        jwks.status = StatusCode::FOUND;
        jwks.location = Some(location.to_owned());
    }

    /// Delays all responses until [`open`](Self::open).
    pub(crate) fn hold(&self) {
        self.shared.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.shared.open.send_replace(true);
    }

    pub(crate) fn asked_for_discovery(&self) -> usize {
        self.shared.asked_for_discovery.load(Ordering::SeqCst)
    }

    pub(crate) fn asked_for_jwks(&self) -> usize {
        self.shared.asked_for_jwks.load(Ordering::SeqCst)
    }
}

impl Drop for KeysServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let said = if request.uri().path() == "/.well-known/openid-configuration" {
        shared.asked_for_discovery.fetch_add(1, Ordering::SeqCst);
        &shared.discovery
    } else {
        shared.asked_for_jwks.fetch_add(1, Ordering::SeqCst);
        &shared.jwks
    };
    let mut open = shared.open.subscribe();
    open.wait_for(|open| *open).await.unwrap();
    let said = said.lock().unwrap().clone();
    let mut response = Response::new(Full::new(said.body));
    *response.status_mut() = said.status;
    if let Some(location) = said.location {
        response
            .headers_mut()
            .insert(header::LOCATION, location.parse().unwrap());
    }
    Ok(response)
}
