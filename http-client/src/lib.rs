#![doc = include_str!("../README.md")]

use std::{error::Error, fmt, sync::Arc, time::Duration};

use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, redirect};
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use url::{Host, Url};
use zeroize::Zeroizing;

/// Sends requests to OpenID providers. A clone shares the connections.
#[derive(Clone)]
pub struct HttpClient {
    /// Uses the proxy of the environment (`HTTPS_PROXY`). The proxy sees only the host.
    https: Client,
    /// Uses no proxy: that of `HTTP_PROXY` would see tokens and client secrets, and could replace keys.
    plain: Client,
}

/// The settings of a client.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The value of the header `User-Agent`.
    pub user_agent: &'static str,
    /// The timeout for opening a connection.
    pub connect_timeout: Duration,
    /// The timeout of a whole request.
    pub timeout: Duration,
    /// Root certificates in PEM, which are trusted in addition to those of the system.
    pub root_certificates: &'a [u8],
}

/// Why a client cannot be created.
#[derive(Debug)]
pub struct SettingsError {
    /// A sentence that says what is wrong, and what to do.
    pub message: &'static str,
    /// The error of a library that says more.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

/// Why a request has no response. No text of it contains a URL.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "crates of this family build their own error from it"
)]
pub enum RequestError {
    /// There was no connection, so that the request was not sent.
    NoConnection(reqwest::Error),
    /// The response did not arrive in time.
    Late(reqwest::Error),
    /// The connection broke.
    Interrupted(reqwest::Error),
    /// The response has more bytes than this limit.
    TooLarge(usize),
}

impl HttpClient {
    /// Creates a client. It opens no connection.
    ///
    /// # Errors
    /// [`SettingsError`] if the root certificates are wrong, or if there is not one.
    pub fn new(settings: &Settings<'_>) -> Result<Self, SettingsError> {
        let tls = tls(settings.root_certificates)?;
        let client = |configure: fn(ClientBuilder) -> ClientBuilder| {
            let client = Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(settings.connect_timeout)
                .timeout(settings.timeout)
                .redirect(redirect::Policy::none())
                .user_agent(settings.user_agent);
            configure(client).build().map_err(because(
                "the HTTP client cannot be created; check the root certificates and the timeouts",
            ))
        };
        Ok(Self {
            https: client(|client| client.https_only(true))?,
            plain: client(ClientBuilder::no_proxy)?,
        })
    }

    /// Starts a request to a URL that [is encrypted or local](is_encrypted_or_local).
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = if url.scheme() == "https" {
            &self.https
        } else {
            &self.plain
        };
        client.request(method, url)
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

fn tls(root_certificates: &[u8]) -> Result<ClientConfig, SettingsError> {
    let more = CertificateDer::pem_slice_iter(root_certificates)
        .collect::<Result<Vec<_>, _>>()
        .map_err(because("the root certificates must be valid PEM"))?;
    if more.is_empty() && !root_certificates.is_empty() {
        return Err(SettingsError {
            message: "the root certificates contain no certificate; pass PEM that starts with `-----BEGIN CERTIFICATE-----`",
            cause: None,
        });
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(more, Arc::clone(&provider)).map_err(because(
        "there are no root certificates; install those of the system (package ca-certificates), or set `root_certificates`",
    ))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(because(
            "TLS cannot be configured; check the root certificates",
        ))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn because<E: Error + Send + Sync + 'static>(
    message: &'static str,
) -> impl FnOnce(E) -> SettingsError {
    move |cause| SettingsError {
        message,
        cause: Some(Box::new(cause)),
    }
}

/// Reads the body of a response, which may have at most `limit` bytes. They are wiped from memory when the result is dropped.
///
/// # Errors
/// [`RequestError`] if the body is larger, or does not arrive.
pub async fn read_body(
    mut response: Response,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, RequestError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(RequestError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns `true` if a request to `url` is encrypted or stays on this machine.
pub fn is_encrypted_or_local(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Returns `true` if the host of `url` is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl From<reqwest::Error> for RequestError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        // A connection that is not open in time was not used.
        if error.is_timeout() {
            Self::Late(error)
        } else if error.is_connect() {
            Self::NoConnection(error)
        } else {
            Self::Interrupted(error)
        }
    }
}

impl RequestError {
    /// Returns `true` if the provider cannot have received the request.
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::NoConnection(_) => true,
            Self::Late(error) => error.is_connect(),
            Self::Interrupted(_) | Self::TooLarge(_) => false,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(_) => f.write_str("the provider cannot be reached"),
            Self::Late(_) => f.write_str("the provider did not answer in time"),
            Self::Interrupted(_) => f.write_str("the connection to the provider broke"),
            Self::TooLarge(limit) => {
                write!(f, "the provider's response has more than {limit} bytes")
            }
        }
    }
}
