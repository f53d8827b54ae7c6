use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, EvictOptions, EvictTarget, Evicted, Result, TokenStore};

use crate::fault::Fault;

/// Says that every sign-out ended something.
#[derive(Default)]
pub(crate) struct AlwaysEnded;

#[async_trait]
impl Fault for AlwaysEnded {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        healthy.evict(account, target, options).await?;
        Ok(Evicted::new(true))
    }
}
