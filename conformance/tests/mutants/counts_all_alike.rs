use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, BeginSession, Begun, Result, SessionKind, TokenStore};

use crate::fault::Fault;

/// Counts sessions on behalf of a user among those of the user's browsers.
#[derive(Default)]
pub(crate) struct CountsAllAlike;

#[async_trait]
impl Fault for CountsAllAlike {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        mut session: BeginSession,
    ) -> Result<Begun> {
        session.record.kind = SessionKind::Direct;
        healthy.begin(account, session).await
    }
}
