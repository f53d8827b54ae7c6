use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, BeginSession, Begun, EvictOptions, EvictTarget, ReadOptions, Result, TokenStore,
};

use crate::fault::Fault;

/// Makes room for a sign-in that it then refuses.
#[derive(Default)]
pub(crate) struct DisplacesBeforeItRefuses;

#[async_trait]
impl Fault for DisplacesBeforeItRefuses {
    async fn begin(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        session: BeginSession,
    ) -> Result<Begun> {
        let (now, most) = (session.now, session.max_sessions);
        let begun = healthy.begin(account, session).await;
        let sessions = healthy.sessions(account, ReadOptions::at(now)).await?;
        if begun.is_err()
            && sessions.len() >= most
            && let Some(record) = sessions.first()
        {
            healthy
                .evict(
                    account,
                    EvictTarget::Session(record.session_id),
                    EvictOptions::at(now),
                )
                .await?;
        }
        begun
    }
}
