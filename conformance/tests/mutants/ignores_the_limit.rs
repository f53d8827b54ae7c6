use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, BeginSession, Begun, Result, TokenStore};

use crate::fault::Fault;

/// Lets an account have any number of sessions.
#[derive(Default)]
pub(crate) struct IgnoresTheLimit;

#[async_trait]
impl Fault for IgnoresTheLimit {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        mut session: BeginSession,
    ) -> Result<Begun> {
        session.max_sessions = usize::MAX;
        healthy.begin(account, session).await
    }
}
