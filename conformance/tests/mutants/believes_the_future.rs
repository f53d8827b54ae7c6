use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, BeginSession, EvictOptions, EvictTarget, Evicted, ReadOptions, Result, Timestamp,
    TokenStore,
};

use crate::fault::Fault;

/// Spares a session that claims to begin after a sign-out, however far in the future.
#[derive(Default)]
pub(crate) struct BelievesTheFuture;

#[async_trait]
impl Fault for BelievesTheFuture {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let read = ReadOptions::at(options.now);
        let spared = healthy.sessions(account, read).await?;
        let spared = spared
            .into_iter()
            .filter(|record| !target.ends(&record.session_id, record.sid.as_ref(), &record.times));
        let spared: Vec<_> = spared.collect();
        let evicted = healthy.evict(account, target, options).await?;
        for record in spared {
            if healthy
                .session(account, &record.session_id, read)
                .await
                .is_err()
            {
                let again = BeginSession::new(record, Timestamp::MAX, options.now);
                healthy.begin(account, again).await?;
            }
        }
        Ok(evicted)
    }
}
