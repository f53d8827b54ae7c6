use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use token_cache_core::{RefreshError, RefreshRequest, Revocation, TokenSet, TokenSource};

use crate::Provider;

/// The grant by which a provider issues tokens to an API on behalf of a user. Pass the one that the provider supports to
/// [`Provider::on_behalf_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBehalfOfGrant {
    /// Token exchange (RFC 8693), with the assertion as the `subject_token`.
    TokenExchange,
    /// The assertion grant (RFC 7523) with `requested_token_use=on_behalf_of`: Microsoft Entra ID.
    JwtBearer,
}

/// A [`TokenSource`] for tokens on behalf of the user whose access token this API was called with. Created by [`Provider::on_behalf_of`].
///
/// A refresh sends the refresh token that the provider returned for the assertion. If the stored tokens have none, the assertion is
/// exchanged again.
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
