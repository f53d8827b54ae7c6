use std::sync::Arc;

use async_trait::async_trait;
use token_cache::{
    TokenSet,
    keys::SecretString,
    providers::Provider,
    refresh::{RefreshError, RefreshRequest, Revocation, TokenSource},
};

use super::{fleet::Shared, late_answers::LateAnswer};

/// The provider, as one user's refresh asks it: its answer goes to the plain cache as well, and may be made late.
pub(crate) struct WatchedProvider {
    pub(crate) provider: Provider,
    pub(crate) shared: Arc<Shared>,
    pub(crate) server: String,
    pub(crate) subject: String,
    pub(crate) late: Option<Arc<LateAnswer>>,
}

#[async_trait]
impl TokenSource for WatchedProvider {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        let tokens = self.provider.refresh(request).await?;
        if let Some(late) = &self.late {
            late.wait().await;
        }
        let Shared {
            plain, timeline, ..
        } = &*self.shared;
        plain
            .tokens_came_in(timeline, &self.server, &self.subject, &tokens)
            .await;
        Ok(tokens)
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        self.provider.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.provider.revocation()
    }
}
