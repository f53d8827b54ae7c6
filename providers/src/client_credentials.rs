use async_trait::async_trait;
use secrecy::SecretString;
use token_cache_core::{RefreshError, RefreshRequest, Revocation, TokenSet, TokenSource};

use crate::Provider;

/// A [`TokenSource`] for tokens of the app itself, without a user: the client credentials grant (RFC 6749 section 4.4). Created by
/// [`Provider::client_credentials`].
///
/// Each refresh is a new grant, with the scopes and the resource of the [`RefreshRequest`]. A refresh token in a response is never used for
/// a refresh (section 4.4.3).
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
