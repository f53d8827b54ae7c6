use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use token_cache_core::{RefreshError, RefreshRequest, Revocation, TokenSet, TokenSource};

use crate::Provider;

/// The OAuth grant by which a web API exchanges the access token that it was called with, the *assertion*, for tokens of its own. Pass the
/// grant that the provider supports to [`Provider::on_behalf_of`]. With the other grant, the provider refuses each request for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBehalfOfGrant {
    /// Token exchange (RFC 8693). The access token that the web API was called with is sent as the parameter `subject_token`.
    TokenExchange,
    /// The JWT bearer grant (RFC 7523) with `requested_token_use=on_behalf_of`, as Microsoft Entra ID defines it. The access token that the
    /// web API was called with is sent as the parameter `assertion`.
    JwtBearer,
}

/// A [`TokenSource`] for a web API that calls other APIs on behalf of a user. It exchanges the access token that the web API was called
/// with, the *assertion*, for tokens of the web API. [`Provider::on_behalf_of`] creates it.
///
/// Pass it to [`Session::get_or_refresh_with`](token_cache_core::Session::get_or_refresh_with) on the session that
/// [`TokenCache::on_behalf_of`](token_cache_core::TokenCache::on_behalf_of) returns. Set the option
/// [`RefreshOptions::without_refresh_token`](token_cache_core::RefreshOptions::without_refresh_token), since no tokens are stored at first.
/// Without the option, the first call fails with [`NotRefreshable`](token_cache_core::ErrorKind::NotRefreshable).
///
/// If the stored tokens have a refresh token, a refresh sends the refresh token. Otherwise it sends the assertion. An empty assertion is
/// not sent: the refresh fails with [`Refused`](token_cache_core::RefreshErrorKind::Refused).
#[derive(Clone)]
pub struct OnBehalfOfSource {
    provider: Provider,
    assertion: SecretString,
    grant: OnBehalfOfGrant,
}

impl OnBehalfOfSource {
    pub(crate) const fn new(
        provider: Provider,
        assertion: SecretString,
        grant: OnBehalfOfGrant,
    ) -> Self {
        Self {
            provider,
            assertion,
            grant,
        }
    }
}

#[async_trait]
impl TokenSource for OnBehalfOfSource {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        if let Some(refresh_token) = request.refresh_token() {
            return self.provider.refresh_with(refresh_token, &request).await;
        }
        let assertion = self.assertion.expose_secret();
        if assertion.trim().is_empty() {
            return Err(RefreshError::refused(
                "the assertion is empty, so nothing was sent; pass the access token that this API was called with",
            ));
        }
        let form = match self.grant {
            OnBehalfOfGrant::TokenExchange => [
                (
                    "grant_type",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                ),
                ("subject_token", assertion),
                (
                    "subject_token_type",
                    "urn:ietf:params:oauth:token-type:access_token",
                ),
            ],
            OnBehalfOfGrant::JwtBearer => [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", assertion),
                ("requested_token_use", "on_behalf_of"),
            ],
        };
        self.provider.request_tokens(&form, &request).await
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        self.provider.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.provider.revocation()
    }
}

impl fmt::Debug for OnBehalfOfSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOfSource")
            .field("provider", &self.provider)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
