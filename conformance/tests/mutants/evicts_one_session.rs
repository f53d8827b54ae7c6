use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, EvictOptions, EvictTarget, Evicted, ReadOptions, Result, TokenStore,
};

use crate::fault::Fault;

/// Ends the first session that it finds of those a sign-out is about.
#[derive(Default)]
pub(crate) struct EvictsOneSession;

#[async_trait]
impl Fault for EvictsOneSession {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let sessions = healthy
            .sessions(account, ReadOptions::at(options.now))
            .await?;
        let first = sessions
            .iter()
            .find(|record| target.ends(&record.session_id, record.sid.as_ref(), &record.times));
        match first {
            Some(record) => {
                healthy
                    .evict(account, EvictTarget::Session(record.session_id), options)
                    .await
            }
            None => healthy.evict(account, target, options).await,
        }
    }
}
