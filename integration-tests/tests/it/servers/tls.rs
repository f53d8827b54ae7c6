use std::fs;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use token_cache_integration_tests::servers::{
    Client, RedisOptions, RedisServer, ServerError, Value,
};

/// Sends PING over TLS, trusting `roots`.
fn ping(redis: &RedisServer, roots: RootCertStore) -> Result<Value, ServerError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let url = redis.tls_url().unwrap();
    let address = url.strip_prefix("rediss://").unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    Client::over(StreamOwned::new(connection, stream)).call(&["PING"])
}

#[test]
fn tls_answers_clients_that_trust_its_authority_and_no_others() {
    let redis = RedisServer::start(RedisOptions {
        tls: true,
        ..RedisOptions::default()
    })
    .unwrap();
    let mut roots = RootCertStore::empty();
    let pem = fs::read(redis.authority()).unwrap();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    assert_eq!(ping(&redis, roots).unwrap().text(), Some("PONG"));

    let error = ping(&redis, RootCertStore::empty()).unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[test]
fn a_server_without_tls_has_no_such_url() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    assert_eq!(redis.tls_url(), None);
}
