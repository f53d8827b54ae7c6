use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{
    RefreshError, RefreshRequest, Revocation, SecretString, TokenSet, TokenSource,
};

/// How much of a head start the browser has on its way to the provider. It counts toward the policy's revocation timeout.
const DELAY: Duration = Duration::from_secs(1);

/// Revokes once the browser has had the time to reach the provider: some providers tell no other app of a sign-out whose tokens
/// were revoked before it.
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
