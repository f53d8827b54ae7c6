use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, BeginSession, Begun, Result, Timestamp, TokenStore};

use crate::fault::Fault;

/// Takes a sign-in whenever it comes.
#[derive(Default)]
pub(crate) struct LandsLate;

#[async_trait]
impl Fault for LandsLate {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        mut session: BeginSession,
    ) -> Result<Begun> {
        session.not_after = Timestamp::MAX;
        healthy.begin(account, session).await
    }
}
