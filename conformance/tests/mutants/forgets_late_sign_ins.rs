use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, EvictOptions, EvictTarget, Evicted, Result, TokenStore};

use crate::fault::Fault;

/// Sets no not-before time of an account.
#[derive(Default)]
pub(crate) struct ForgetsLateSignIns;

#[async_trait]
impl Fault for ForgetsLateSignIns {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        options.not_before_lifetime = Duration::ZERO;
        healthy.evict(account, target, options).await
    }
}
