use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Limited;
use reqwest::{Body, Client, Response, header, redirect};
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::time::Instant;
use url::Url;

use super::body::whole;
use crate::config::ConfigError;

/// The maximum size of a provider's document.
const MAX_BYTES: usize = 256 * 1024;

/// The timeout of one request. Callers wait for less time, and the document is then cached for the next caller.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches a provider's documents, with limits on time and size.
#[derive(Clone)]
pub(crate) struct HttpClient {
    /// Uses the proxy of the environment (`HTTPS_PROXY`), which cannot modify TLS traffic.
    https: Client,
    /// Uses no proxy, because a proxy of `HTTP_PROXY` could replace the keys.
    plain: Client,
}

/// The error of a failed fetch. Its text contains no URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchError {
    message: String,
    /// When to ask again. `None` means at once.
    retry_at: Option<Instant>,
}

impl FetchError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retry_at: None,
        }
    }

    /// Returns the error for a caller whose deadline has passed. The response may still arrive.
    pub(crate) fn late() -> Self {
        Self::new("the provider did not respond in time")
    }

    /// Returns the error for a document that was fetched a moment ago and is not fetched again before `retry_at`.
    pub(crate) fn paused(retry_at: Instant) -> Self {
        Self::new("its key is not among the provider's keys, which were fetched a moment ago")
            .retry_at(retry_at)
    }

    pub(crate) fn retry_at(mut self, at: Instant) -> Self {
        self.retry_at = Some(at);
        self
    }

    /// Returns how long to wait before asking again.
    pub(crate) fn retry_after(&self) -> Duration {
        self.retry_at.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(Instant::now())
        })
    }
}

impl HttpClient {
    /// Returns a client that trusts the system's root certificates and the ones in `certificates` (PEM).
    pub(crate) fn new(certificates: &[u8]) -> Result<Self, ConfigError> {
        let provider = Arc::new(ring::default_provider());
        let more = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                ConfigError::new(format!("the root certificates must be valid PEM: {error}"))
            })?;
        if more.is_empty() && !certificates.is_empty() {
            return Err(ConfigError::new(
                "the root certificates contain no certificate; pass them as PEM",
            ));
        }
        let verifier = Verifier::new_with_extra_roots(more, Arc::clone(&provider));
        let verifier = verifier.map_err(|error| {
            ConfigError::new(format!(
                "no root certificates are available ({error}); install the system's package (ca-certificates), or set `root_certificates`"
            ))
        })?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                ConfigError::new(format!(
                    "cannot configure TLS ({error}); check the root certificates"
                ))
            })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let client = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .timeout(TIMEOUT)
                // A redirect could lead into the app's own network.
                .redirect(redirect::Policy::none())
                .user_agent(concat!("token-cache-sign-out/", env!("CARGO_PKG_VERSION")))
        };
        let no_client = |error| {
            ConfigError::new(format!(
                "cannot create the HTTP client ({error}); check the root certificates"
            ))
        };
        Ok(Self {
            https: client().https_only(true).build().map_err(no_client)?,
            plain: client().no_proxy().build().map_err(no_client)?,
        })
    }

    /// Returns the body of the document at `url`. `what` names the document in errors.
    pub(crate) async fn get(&self, what: &str, url: Url) -> Result<Bytes, FetchError> {
        let client = if url.scheme() == "https" {
            &self.https
        } else {
            &self.plain
        };
        let request = client.get(url).header(header::ACCEPT, "application/json");
        let response = request.send().await.map_err(|error| failed(what, &error))?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(FetchError::new(format!(
                "the provider responded with {status} to a request for its {what}"
            )));
        }
        read(what, response).await
    }
}

async fn read(what: &str, response: Response) -> Result<Bytes, FetchError> {
    let body = Limited::new(Body::from(response), MAX_BYTES);
    whole(body)
        .await
        .map_err(|error| match error.downcast_ref::<reqwest::Error>() {
            Some(error) => failed(what, error),
            None => FetchError::new(format!(
                "the provider's {what} has more than {MAX_BYTES} bytes"
            )),
        })
}

fn failed(what: &str, error: &reqwest::Error) -> FetchError {
    let happened = if error.is_timeout() {
        "did not arrive in time"
    } else if error.is_connect() {
        "cannot be fetched: no connection"
    } else {
        "was interrupted"
    };
    FetchError::new(format!("the provider's {what} {happened}"))
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Answers one request with `length` bytes of a body that is announced as `announced` bytes. Then it closes the
    /// connection, or leaves it open.
    fn serve(announced: usize, length: usize, stays_open: bool) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 1024]).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n");
            let mut response = head.into_bytes();
            response.resize(response.len() + length, b'a');
            // A client that has read enough closes the connection.
            let _ = connection.write_all(&response);
            if stays_open {
                thread::park();
            }
        });
        url.parse().unwrap()
    }

    #[tokio::test]
    async fn a_document_is_read_up_to_the_limit_and_every_other_end_is_named() {
        let client = HttpClient::new(&[]).unwrap();
        let whole = client.get("JWK Set", serve(MAX_BYTES, MAX_BYTES, false));
        assert_eq!(whole.await.unwrap().len(), MAX_BYTES);
        for (announced, length, stays_open, expected) in [
            (MAX_BYTES + 1, MAX_BYTES + 1, true, "more than 262144 bytes"),
            (10, 3, true, "did not arrive in time"),
            (10, 3, false, "was interrupted"),
        ] {
            let request = client.plain.get(serve(announced, length, stays_open));
            let request = request.timeout(Duration::from_millis(500));
            let read = read("JWK Set", request.send().await.unwrap()).await;
            let error = read.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
