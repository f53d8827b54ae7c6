use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use token_cache_core::{RefreshErrorKind, TokenSource};
use tokio_rustls::TlsAcceptor;

use super::server::{Answer, Server};
use super::{builder, request};

/// Returns a server with an untrusted certificate, and the certificate.
async fn server() -> (Server, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let tokens = json!({"access_token": "at", "token_type": "Bearer"});
    let answer = move |_: &_| Answer::json(200, &tokens);
    let server = Server::with_tls(TlsAcceptor::from(Arc::new(config)), answer).await;
    (server, cert.pem())
}

#[tokio::test]
async fn a_certificate_that_is_given_is_trusted() {
    let (server, certificate) = server().await;
    let provider = builder(&server)
        .root_certificates(certificate)
        .build()
        .unwrap();
    provider.refresh(request()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_gets_no_token() {
    let (server, _) = server().await;
    let error = builder(&server)
        .build()
        .unwrap()
        .refresh(request())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), RefreshErrorKind::Transient);
    assert!(server.received().is_empty());
}
