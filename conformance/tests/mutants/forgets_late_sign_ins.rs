use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, Result, TokenStore};

use crate::fault::Fault;

/// Leaves no marker.
#[derive(Default)]
pub(crate) struct ForgetsLateSignIns;

#[async_trait]
impl Fault for ForgetsLateSignIns {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        options.marker_life = Duration::ZERO;
        healthy.evict(account, cut, options).await
    }
}
