use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, EvictOptions, EvictTarget, Evicted, ReadOptions, Result, TokenStore,
};

use crate::fault::Fault;

/// Sets a not-before time only if there was a session to end.
#[derive(Default)]
pub(crate) struct SetsNotBeforeOfKnownAccountsOnly;

#[async_trait]
impl Fault for SetsNotBeforeOfKnownAccountsOnly {
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
            options.not_before_lifetime = Duration::ZERO;
        }
        healthy.evict(account, target, options).await
    }
}
