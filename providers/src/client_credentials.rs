use async_trait::async_trait;
use secrecy::SecretString;
use token_cache_core::{RefreshError, RefreshRequest, Revocation, TokenSet, TokenSource};

use crate::Provider;

/// A [`TokenSource`] for tokens of the app itself, without a user: the client credentials grant (RFC 6749 section 4.4).
/// [`Provider::client_credentials`] creates it.
///
/// Pass it to [`Session::get_or_refresh_with`](token_cache_core::Session::get_or_refresh_with) on the session that
/// [`TokenCache::application`](token_cache_core::TokenCache::application) returns. Set the option
/// [`RefreshOptions::without_refresh_token`](token_cache_core::RefreshOptions::without_refresh_token), since these tokens usually have no
/// refresh token. Without the option, the call then fails with [`NotRefreshable`](token_cache_core::ErrorKind::NotRefreshable).
///
/// Each refresh sends a client credentials request, with the scopes and the resource of the [`RefreshRequest`]. If the provider's response
/// has a refresh token nevertheless (section 4.4.3 advises against it), no refresh ever sends that token.
#[derive(Debug, Clone)]
pub struct ClientCredentialsSource(Provider);

impl ClientCredentialsSource {
    pub(crate) const fn new(provider: Provider) -> Self {
        Self(provider)
    }
}

#[async_trait]
impl TokenSource for ClientCredentialsSource {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let grant = [("grant_type", "client_credentials")];
        self.0.request_tokens(&grant, &request).await
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        self.0.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.0.revocation()
    }
}
