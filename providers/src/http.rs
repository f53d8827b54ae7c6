use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Response, StatusCode, header, redirect};
use rustls::{ClientConfig, crypto::ring, pki_types::CertificateDer};
use rustls_platform_verifier::Verifier;
use token_cache_core::{Error, RefreshError, Result};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::{client_auth::Credentials, retry_after::retry_after};

/// The largest response. Token responses with many groups have tens of kilobytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

/// The timeouts and the additional root certificates of requests.
pub(crate) struct HttpOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

/// A response of the provider with its whole body.
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Posts forms to the provider, with limits on time and size.
#[derive(Clone)]
pub(crate) struct Http {
    /// Uses the proxy of the environment (`HTTPS_PROXY`). The proxy sees only the host.
    https: Client,
    /// Uses no proxy: that of `HTTP_PROXY` would see the refresh token and the client secret.
    plain: Client,
}

impl Http {
    pub(crate) fn new(options: HttpOptions) -> Result<Self> {
        const OPERATION: &str = "prepare requests to a provider";
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(options.certificates, Arc::clone(&provider))
            .map_err(|error| {
                let message =
                    "there are no root certificates; install those of the system (package ca-certificates) or pass some";
                Error::config(OPERATION, message).with_source(error)
            })?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Error::config(
                    OPERATION,
                    "TLS cannot be configured; check the root certificates",
                )
                .with_source(error)
            })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let client = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(options.connect_timeout)
                .timeout(options.timeout)
                .redirect(redirect::Policy::none())
                .user_agent(concat!("token-cache-providers/", env!("CARGO_PKG_VERSION")))
        };
        let no_client = |error| {
            Error::config(
                OPERATION,
                "the HTTP client cannot be built; check the root certificates and the timeouts",
            )
            .with_source(error)
        };
        Ok(Self {
            https: client().https_only(true).build().map_err(no_client)?,
            plain: client().no_proxy().build().map_err(no_client)?,
        })
    }

    /// Posts a form once, with the credentials of the app.
    pub(crate) async fn post(
        &self,
        url: &Url,
        credentials: &Credentials,
        form: &[(&str, &str)],
    ) -> std::result::Result<HttpResponse, RefreshError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .extend_pairs(credentials.parameters())
            .finish();
        let client = if url.scheme() == "https" {
            &self.https
        } else {
            &self.plain
        };
        let mut request = client
            .post(url.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        if let Some(value) = credentials.header() {
            let mut value = header::HeaderValue::from_str(&value)
                .map_err(|_| RefreshError::refused("the client id or the client secret contains characters that a header cannot hold"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let response = request.send().await.map_err(failed)?;
        Ok(HttpResponse {
            status: response.status(),
            retry_after: retry_after(response.headers(), std::time::SystemTime::now()),
            body: read(response).await?,
        })
    }
}

/// Prints no endpoints: [`Provider`](crate::Provider) prints the host.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

async fn read(mut response: Response) -> std::result::Result<Zeroizing<Vec<u8>>, RefreshError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(RefreshError::malformed(format!(
                "the provider's response has more than {MAX_RESPONSE_BYTES} bytes"
            ))
            .answer_lost());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Converts an error of the HTTP client, without the URL.
fn failed(error: reqwest::Error) -> RefreshError {
    let message = if error.is_timeout() {
        "the provider did not answer in time"
    } else if error.is_connect() {
        "the provider cannot be reached"
    } else {
        "the connection to the provider broke"
    };
    let unreached = error.is_connect();
    let failure = RefreshError::transient(message).with_source(error.without_url());
    if unreached {
        failure
    } else {
        failure.answer_lost()
    }
}
