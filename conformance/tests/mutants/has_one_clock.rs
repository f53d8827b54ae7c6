use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, CutoffTime, EvictOptions, EvictTarget, Evicted, Result, TokenStore,
};

use crate::fault::Fault;

/// Takes cutoff times on the provider's clock for times on its own clock.
#[derive(Default)]
pub(crate) struct HasOneClock;

#[async_trait]
impl Fault for HasOneClock {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let target = match target {
            EvictTarget::Account(moment) => {
                EvictTarget::Account(CutoffTime::on_store_clock(moment.at))
            }
            other => other,
        };
        healthy.evict(account, target, options).await
    }
}
