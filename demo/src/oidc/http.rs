use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, redirect};
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::failure::Failure;

/// The most bytes of a provider's answer.
const AT_MOST: usize = 256 * 1024;

/// Asks the provider, within limits.
#[derive(Clone)]
pub(crate) struct Http(Client);

impl Http {
    /// A client for the documents and endpoints of one issuer. An https issuer leads to no plain http. Plain http, which is for a
    /// provider on this machine, uses no proxy: one of `HTTP_PROXY` would be sent codes and secrets in clear.
    pub(crate) fn for_issuer(issuer: &str) -> Result<Self, Failure> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_platform_verifier()
            .map_err(unusable)?
            .with_no_client_auth();
        let client = if issuer.starts_with("https:") {
            Client::builder().https_only(true)
        } else {
            Client::builder().no_proxy()
        };
        let client = client
            .tls_backend_preconfigured(tls)
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            // A client that follows redirects can be led to an internal host.
            .redirect(redirect::Policy::none())
            .build();
        Ok(Self(client.map_err(unusable)?))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let request = reqwest::Request::try_from(request).map_err(Unanswered::of)?;
        let mut answer = self.0.execute(request).await.map_err(Unanswered::of)?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(answer.headers().clone());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(Unanswered::of)? {
            if body.len() + chunk.len() > AT_MOST {
                return Err(Unanswered("the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        response
            .body(body)
            .map_err(|_| Unanswered("the answer is not HTTP"))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Unanswered;
    type Future = BoxFuture<'c, Result<HttpResponse, Unanswered>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Why there is no answer. The client's own error is left out: it could name what was sent.
#[derive(Debug)]
pub(crate) struct Unanswered(&'static str);

impl Unanswered {
    #[expect(clippy::needless_pass_by_value, reason = "it is mapped over")]
    fn of(error: reqwest::Error) -> Self {
        Self(if error.is_timeout() {
            "the provider did not answer in time"
        } else if error.is_connect() {
            "the provider can't be reached"
        } else {
            "the connection to the provider broke"
        })
    }
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unanswered {}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("no HTTP client for the provider: {error}"))
}

#[cfg(test)]
mod tests {
    use std::{env, io::ErrorKind, net::TcpListener, process::Command};

    /// A proxy of `HTTP_PROXY` would be sent codes and secrets in clear.
    #[test]
    fn a_provider_on_this_machine_is_asked_through_no_proxy_of_the_environment() {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.set_nonblocking(true).unwrap();
        let url = format!("http://{}/", proxy.local_addr().unwrap());
        let test = "oidc::keys::tests::a_missing_key_is_fetched_once_in_a_while";
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", test]);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            child.env(name, &url).env(name.to_lowercase(), &url);
        }
        for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
            child.env_remove(name);
        }
        let output = child.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}");
        assert!(printed.contains("1 passed"), "{printed}");
        assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
