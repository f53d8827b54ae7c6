use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, Result, TokenStore};

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
        cut: Cut,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let evicted = healthy.evict(account, cut, options).await;
        Ok(evicted.unwrap_or(Evicted::new(false)))
    }
}
