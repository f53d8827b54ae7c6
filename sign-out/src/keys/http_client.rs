use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Response, header, redirect};
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::time::Instant;
use url::Url;

use crate::ConfigError;

/// What a document of a provider may have at most.
const MAX_BYTES: usize = 256 * 1024;

/// How long a document may take. Who waits for it, waits less; it then is there for the next.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// Gets documents of a provider, within limits.
#[derive(Clone)]
pub(crate) struct HttpClient {
    /// Uses the proxy of the environment (`HTTPS_PROXY`), which cannot change what it passes on.
    https: Client,
    /// Uses no proxy: one of `HTTP_PROXY` could answer with keys of its own.
    plain: Client,
}

/// Why a document of a provider cannot be had now. It names no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchError {
    message: String,
    /// When it is worth the while to ask again. `None`: at once.
    retry_at: Option<Instant>,
}

impl FetchError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retry_at: None,
        }
    }

    /// The caller has waited long enough. The answer may still come.
    pub(crate) fn late() -> Self {
        Self::new("the provider did not answer in time")
    }

    /// The document was fetched a moment ago, and is not fetched again before `retry_at`.
    pub(crate) fn paused(retry_at: Instant) -> Self {
        Self::new("its key is not among the provider's keys, which were fetched a moment ago")
            .retry_at(retry_at)
    }

    pub(crate) fn retry_at(mut self, at: Instant) -> Self {
        self.retry_at = Some(at);
        self
    }

    /// How long it takes until it is worth the while to ask again.
    pub(crate) fn retry_after(&self) -> Duration {
        self.retry_at.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(Instant::now())
        })
    }
}

impl HttpClient {
    /// A client that trusts the system's certificates, and these (PEM).
    pub(crate) fn new(certificates: &[u8]) -> Result<Self, ConfigError> {
        let provider = Arc::new(ring::default_provider());
        let more = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                ConfigError::new(format!("the root certificates are no PEM: {error}"))
            })?;
        if more.is_empty() && !certificates.is_empty() {
            return Err(ConfigError::new("the root certificates hold none"));
        }
        let verifier = Verifier::new_with_extra_roots(more, Arc::clone(&provider));
        let verifier = verifier.map_err(|error| {
            ConfigError::new(format!(
                "no root certificates ({error}); install the system's (ca-certificates) or give some"
            ))
        })?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::new(format!("TLS can't be used: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let client = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .timeout(TIMEOUT)
                // A provider's documents are where it says. A redirect could lead into the app's own network.
                .redirect(redirect::Policy::none())
                .user_agent(concat!("token-cache-sign-out/", env!("CARGO_PKG_VERSION")))
        };
        let no_client = |error| ConfigError::new(format!("no HTTP client: {error}"));
        Ok(Self {
            https: client().https_only(true).build().map_err(no_client)?,
            plain: client().no_proxy().build().map_err(no_client)?,
        })
    }

    /// The document at `url`, `what` it is said to be, read whole.
    pub(crate) async fn get(&self, what: &str, url: Url) -> Result<Vec<u8>, FetchError> {
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
                "the provider answered {status} for its {what}"
            )));
        }
        read(what, response).await
    }
}

async fn read(what: &str, mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| failed(what, &error))?
    {
        if chunk.len() > MAX_BYTES - body.len() {
            return Err(FetchError::new(format!(
                "the provider's {what} has more than {MAX_BYTES} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failed(what: &str, error: &reqwest::Error) -> FetchError {
    let happened = if error.is_timeout() {
        "did not come in time"
    } else if error.is_connect() {
        "can't be had: no connection"
    } else {
        "broke off"
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
        f.write_str("Http")
    }
}
