use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{
    RefreshError, RefreshRequest, Revocation, SecretString, TokenSet, TokenSource,
};

/// The time between the redirect to the provider and the revocation. It counts toward the policy's revocation timeout.
const DELAY: Duration = Duration::from_secs(1);

/// A [`TokenSource`] that revokes after a delay, so that the browser reaches the provider first. Some providers notify
/// no other app of a sign-out if its tokens were revoked before.
pub(crate) struct DeferredRevocation(pub(crate) Arc<dyn TokenSource>);

#[async_trait]
impl TokenSource for DeferredRevocation {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        self.0.refresh(request).await
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        tokio::time::sleep(DELAY).await;
        self.0.revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        self.0.revocation()
    }
}
