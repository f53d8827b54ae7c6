use std::{fmt, time::Duration};

use reqwest::{Method, header};
use token_cache_http_client::{HttpClient, RequestError, Settings, SettingsError, read_body};
use tokio::time::Instant;
use url::Url;
use zeroize::Zeroizing;

use crate::config::ConfigError;

/// The maximum size of a provider's document.
const MAX_BYTES: usize = 256 * 1024;

/// The timeout of one request. Callers wait for less time, and the document is then cached for the next caller.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

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

/// Returns a client that trusts the system's root certificates and the ones in `certificates` (PEM).
pub(crate) fn http_client(certificates: &[u8]) -> Result<HttpClient, ConfigError> {
    let settings = Settings {
        user_agent: concat!("token-cache-sign-out/", env!("CARGO_PKG_VERSION")),
        connect_timeout: TIMEOUT,
        timeout: TIMEOUT,
        root_certificates: certificates,
    };
    HttpClient::new(&settings).map_err(|SettingsError { message, cause }| {
        ConfigError::new(match cause {
            None => message.to_owned(),
            Some(cause) => format!("cannot create the HTTP client ({cause}); {message}"),
        })
    })
}

/// Returns the body of the document at `url`. `what` names the document in errors.
pub(crate) async fn fetch(
    client: &HttpClient,
    what: &str,
    url: Url,
) -> Result<Zeroizing<Vec<u8>>, FetchError> {
    let request = client.request(Method::GET, url);
    let response = request
        .header(header::ACCEPT, "application/json")
        .send()
        .await
        .map_err(|error| failed(what, &error.into()))?;
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(FetchError::new(format!(
            "the provider responded with {status} to a request for its {what}"
        )));
    }
    let body = read_body(response, MAX_BYTES).await;
    body.map_err(|error| failed(what, &error))
}

fn failed(what: &str, error: &RequestError) -> FetchError {
    let happened = match error {
        RequestError::Late(_) => "did not arrive in time",
        RequestError::NoConnection(_) => "cannot be fetched: no connection",
        RequestError::Interrupted(_) => "was interrupted",
        RequestError::TooLarge(limit) => {
            return FetchError::new(format!("the provider's {what} has more than {limit} bytes"));
        }
    };
    FetchError::new(format!("the provider's {what} {happened}"))
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
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
        let client = http_client(&[]).unwrap();
        let whole = fetch(&client, "JWK Set", serve(MAX_BYTES, MAX_BYTES, false));
        assert_eq!(whole.await.unwrap().len(), MAX_BYTES);
        for (announced, length, stays_open, expected) in [
            (MAX_BYTES + 1, MAX_BYTES + 1, true, "more than 262144 bytes"),
            (10, 3, true, "did not arrive in time"),
            (10, 3, false, "was interrupted"),
        ] {
            let request = client.request(Method::GET, serve(announced, length, stays_open));
            let request = request.timeout(Duration::from_millis(500));
            let read = read_body(request.send().await.unwrap(), MAX_BYTES).await;
            let error = failed("JWK Set", &read.unwrap_err()).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
