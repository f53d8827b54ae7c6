use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, EvictOptions, Evicted, NotBeforeScope, Result, SidIndex, Timestamp,
};

use crate::fault::Fault;

/// Sets no not-before times when many accounts are signed out at once.
#[derive(Default)]
pub(crate) struct BatchesWithoutNotBefore;

#[async_trait]
impl Fault for BatchesWithoutNotBefore {
    async fn evict_accounts(
        &self,
        healthy: &dyn SidIndex,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        mut options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        options.not_before_lifetime = Duration::ZERO;
        healthy
            .evict_accounts(accounts, at, not_before, options)
            .await
    }
}
