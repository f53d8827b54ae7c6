use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, EvictOptions, EvictTarget, Evicted, ReadOptions, Result, TokenStore,
};

use crate::fault::Fault;

/// Ends an account's sessions whatever the cutoff time of the sign-out.
#[derive(Default)]
pub(crate) struct EndsNewerSessions;

#[async_trait]
impl Fault for EndsNewerSessions {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let EvictTarget::Account(moment) = target else {
            return healthy.evict(account, target, options).await;
        };
        let sessions = healthy
            .sessions(account, ReadOptions::at(options.now))
            .await?;
        for record in &sessions {
            healthy
                .evict(account, EvictTarget::Session(record.session_id), options)
                .await?;
        }
        healthy
            .evict(account, EvictTarget::Account(moment), options)
            .await?;
        Ok(Evicted::new(!sessions.is_empty()))
    }
}
