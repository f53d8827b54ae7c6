use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, CutoffTime, EvictOptions, EvictTarget, Evicted, Result, TokenStore,
};

use crate::fault::Fault;

/// Takes a session whose time equals the cutoff time for a newer one.
#[derive(Default)]
pub(crate) struct SparesEqualTimes;

#[async_trait]
impl Fault for SparesEqualTimes {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let target = match target {
            EvictTarget::Account(CutoffTime { clock, at }) => EvictTarget::Account(CutoffTime {
                clock,
                at: at - Duration::from_millis(1),
            }),
            other => other,
        };
        healthy.evict(account, target, options).await
    }
}
