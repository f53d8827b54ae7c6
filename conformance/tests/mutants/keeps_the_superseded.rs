use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, BeginSession, Begun, Result, TokenStore};

use crate::fault::Fault;

/// Does not remove the sessions of earlier sends.
#[derive(Default)]
pub(crate) struct KeepsTheSuperseded;

#[async_trait]
impl Fault for KeepsTheSuperseded {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        mut session: BeginSession,
    ) -> Result<Begun> {
        session.supersedes.clear();
        healthy.begin(account, session).await
    }
}
