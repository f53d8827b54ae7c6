use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, EvictOptions, EvictTarget, Evicted, ReadOptions, Result, TokenStore,
};

use crate::fault::Fault;

/// Leaves a marker only where there was a session to end.
#[derive(Default)]
pub(crate) struct MarksKnownAccountsOnly;

#[async_trait]
impl Fault for MarksKnownAccountsOnly {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        if healthy
            .sessions(account, ReadOptions::at(options.now))
            .await?
            .is_empty()
        {
            options.marker_life = Duration::ZERO;
        }
        healthy.evict(account, target, options).await
    }
}
