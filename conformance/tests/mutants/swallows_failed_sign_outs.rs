use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, EvictOptions, EvictTarget, Evicted, Result, TokenStore};

use crate::fault::Fault;

/// Says that a sign-out which failed ended nothing.
#[derive(Default)]
pub(crate) struct SwallowsFailedSignOuts;

#[async_trait]
impl Fault for SwallowsFailedSignOuts {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let evicted = healthy.evict(account, target, options).await;
        Ok(evicted.unwrap_or(Evicted::new(false)))
    }
}
