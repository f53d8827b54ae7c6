use std::{fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use token_cache_core::{Error, Result, Revocation};
use token_cache_http_client::{HttpClient, Settings, is_encrypted_or_local};
use url::Url;

use crate::{
    ClientAuth, Provider, client_auth::Credentials, invalid_client_pause::InvalidClientPause,
    provider::Inner,
};

const OPERATION: &str = "set up a provider";

/// The settings from which a [`Provider`] is created: the endpoints of the OAuth provider, the app's credentials there, and the limits of a
/// request.
///
/// [`Provider::builder`] creates it. With the features `oauth2-5` and `openidconnect-4`, it can also be created from a client of the crate
/// `oauth2` or `openidconnect`. After the last setting, call [`build`](Self::build).
#[must_use]
pub struct ProviderBuilder {
    token_url: String,
    pub(crate) credentials: Credentials,
    revocation_url: Option<String>,
    revocation: Revocation,
    connect_timeout: Duration,
    timeout: Duration,
    certificates: Vec<u8>,
    invalid_grant_codes: Vec<String>,
}

impl ProviderBuilder {
    pub(crate) fn new(token_url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            token_url: token_url.into(),
            credentials: Credentials {
                client_id: client_id.into(),
                client_secret: None,
                auth: ClientAuth::default(),
            },
            revocation_url: None,
            revocation: Revocation::None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            certificates: Vec::new(),
            invalid_grant_codes: Vec::new(),
        }
    }

    /// Sets the client secret, which the OAuth provider issued to the app. By default the app has none: it is a public client, and each
    /// request contains only the form field `client_id`. [`build`](Self::build) refuses an empty or blank client secret with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.credentials.client_secret = Some(SecretString::from(secret.into()));
        self
    }

    /// Sets how the app sends its client id and its client secret to the OAuth provider. The default is [`ClientAuth::Basic`]. This setting
    /// has no effect if the app has no client secret.
    pub fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.credentials.auth = auth;
        self
    }

    /// Sets the URL of the revocation endpoint (RFC 7009), and what the OAuth provider ends when a refresh token is revoked there. By
    /// default there is no revocation endpoint, and a sign-out revokes nothing.
    ///
    /// The parameter `revocation` decides whether [`Session::sign_out_and_revoke`](token_cache_core::Session::sign_out_and_revoke) revokes.
    /// With [`Revocation::None`], a sign-out revokes nothing, although the URL is set. [`Revocation`] describes the other cases.
    ///
    /// [`build`](Self::build) fails with [`Config`](token_cache_core::ErrorKind::Config) if `url` is invalid, or is neither https nor plain
    /// http to a loopback address.
    pub fn revocation(mut self, url: impl Into<String>, revocation: Revocation) -> Self {
        self.revocation_url = Some(url.into());
        self.revocation = revocation;
        self
    }

    /// Limits the time for opening one connection to the OAuth provider. The default is 5 s. A request that exceeds the limit fails with
    /// [`Transient`](token_cache_core::RefreshErrorKind::Transient). [`build`](Self::build) refuses zero with
    /// [`Config`](token_cache_core::ErrorKind::Config).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits the time of one request to the OAuth provider, from opening the connection to the end of the response. The default is 30 s. A
    /// request that exceeds the limit fails with [`Transient`](token_cache_core::RefreshErrorKind::Transient). [`build`](Self::build)
    /// refuses zero with [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// The cache has limits of its own, for a refresh and for a revocation: the fields `provider_timeout` and `revocation_timeout` of
    /// [`RefreshPolicy`](token_cache_core::RefreshPolicy). The shorter limit applies.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets root certificates that are trusted for HTTPS in addition to those of the system. By default, only those of the system are
    /// trusted. A second call replaces the certificates of the first.
    ///
    /// `pem` is a text in PEM with one or several certificates. [`build`](Self::build) fails with
    /// [`Config`](token_cache_core::ErrorKind::Config) if it is not PEM or contains no certificate. An empty `pem` adds none.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates = pem.into();
        self
    }

    /// Sets the error codes that mean the same as `invalid_grant` at this OAuth provider, such as GitHub's `bad_refresh_token`. If a
    /// refresh fails with one of them, the refresh token is invalid, and the session ends.
    ///
    /// Each code is compared with the members `error` and `suberror` of an error response from the token endpoint. By default there are no
    /// such codes: only the codes that [`RefreshError::of_response`](token_cache_core::RefreshError::of_response) lists end the session.
    /// After any other code, the refresh fails and the session continues. A second call replaces the codes of the first.
    pub fn invalid_grant_codes(
        mut self,
        codes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.invalid_grant_codes = codes.into_iter().map(Into::into).collect();
        self
    }

    /// Validates the settings and creates the [`Provider`]. It sends no request.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if
    ///
    /// - the URL of an endpoint is invalid, or is neither https nor plain http to a loopback address;
    /// - the client id or the client secret is empty or blank;
    /// - a timeout is zero;
    /// - the text passed to [`root_certificates`](Self::root_certificates) is not PEM or contains no certificate;
    /// - the system has no root certificates, and none were set.
    pub fn build(self) -> Result<Provider> {
        let refused = |what: &str| Err(Error::config(OPERATION, what));
        let token_url = endpoint("token", &self.token_url)?;
        let revocation_url = self.revocation_url.as_deref();
        let revocation_url = revocation_url.map(|url| endpoint("revocation", url));
        let revocation_url = revocation_url.transpose()?;
        if self.credentials.client_id.trim().is_empty() {
            return refused(
                "the client id is empty; set the id that the provider registered for the app",
            );
        }
        let secret = self.credentials.client_secret.as_ref();
        if secret.is_some_and(|secret| secret.expose_secret().trim().is_empty()) {
            return refused(
                "the client secret is empty; leave it out if the app is a public client",
            );
        }
        if self.connect_timeout.is_zero() || self.timeout.is_zero() {
            return refused("a timeout is zero; set one of at least a few seconds");
        }
        let settings = Settings {
            user_agent: concat!("token-cache-providers/", env!("CARGO_PKG_VERSION")),
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            root_certificates: &self.certificates,
        };
        let http = HttpClient::new(&settings).map_err(|error| {
            let refused = Error::config(OPERATION, error.message);
            match error.cause {
                None => refused,
                Some(cause) => refused.with_source(cause),
            }
        })?;
        Ok(Provider::new(Inner {
            http,
            token_url,
            credentials: self.credentials,
            revocation_url,
            revocation: self.revocation,
            invalid_grant_codes: self.invalid_grant_codes,
            invalid_client_pause: InvalidClientPause::none(),
        }))
    }
}

/// Reads the URL of the `name` endpoint, and refuses one to which tokens and the client secret must not be sent.
///
/// The error does not quote the URL: it may hold credentials.
fn endpoint(name: &str, url: &str) -> Result<Url> {
    let url: Url = url.parse().map_err(|error| {
        let message =
            format!("the URL of the {name} endpoint is invalid; write `https://host/path`");
        Error::config(OPERATION, message).with_source(error)
    })?;
    if is_encrypted_or_local(&url) {
        Ok(url)
    } else {
        let message = format!(
            "the {name} endpoint must be https (plain http only at a loopback address); the scheme of its URL is `{}`",
            url.scheme()
        );
        Err(Error::config(OPERATION, message))
    }
}

impl fmt::Debug for ProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderBuilder")
            .field("revocation", &self.revocation)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ProviderBuilder {
        ProviderBuilder::new("https://id.example/token", "shop")
    }

    #[test]
    fn what_can_t_work_is_refused_before_any_request() {
        builder().build().unwrap();
        let (not_http, in_clear) = ("ftp://id.example", "http://id.example/token");
        for (wrong, says) in [
            (ProviderBuilder::new(not_http, "shop"), "token endpoint"),
            (
                builder().revocation(not_http, Revocation::Token),
                "revocation endpoint",
            ),
            (ProviderBuilder::new(in_clear, "shop"), "token endpoint"),
            (
                builder().revocation(in_clear, Revocation::Token),
                "revocation endpoint",
            ),
            (ProviderBuilder::new("https://id.example", ""), "client id"),
            (ProviderBuilder::new("/token", "shop"), "token endpoint"),
            (
                ProviderBuilder::new("localhost:8080/token", "shop"),
                "scheme of its URL is `localhost`",
            ),
            (
                builder().revocation("", Revocation::Token),
                "revocation endpoint",
            ),
            (builder().client_secret(""), "client secret"),
            (builder().timeout(Duration::ZERO), "timeout"),
            (builder().connect_timeout(Duration::ZERO), "timeout"),
            (
                builder().root_certificates("no certificate"),
                "root certificates",
            ),
        ] {
            let error = wrong.build().unwrap_err();
            assert_eq!(error.kind(), token_cache_core::ErrorKind::Config);
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn nobody_off_this_machine_can_listen_to_a_refresh_token() {
        for (url, is_encrypted_or_local) in [
            ("https://id.example/token", true),
            ("http://127.0.0.1:8080/token", true),
            ("http://127.8.8.8/token", true),
            ("http://[::1]:8080/token", true),
            ("http://localhost:8080/token", true),
            ("http://id.example/token", false),
            ("http://localhost.id.example/token", false),
            ("http://192.0.2.1/token", false),
            ("http://[2001:db8::1]/token", false),
            ("http://0.0.0.0/token", false),
        ] {
            let built = ProviderBuilder::new(url, "shop").build();
            assert_eq!(built.is_ok(), is_encrypted_or_local, "{url}");
        }
    }
}
