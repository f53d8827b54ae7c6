use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, EvictOptions, Evicted, Marking, Result, SidIndex, Timestamp};

use crate::fault::Fault;

/// Leaves no markers where many are signed out at once.
#[derive(Default)]
pub(crate) struct BatchesWithoutMarkers;

#[async_trait]
impl Fault for BatchesWithoutMarkers {
    async fn evict_accounts(
        &self,
        healthy: &dyn SidIndex,
        accounts: &[AccountKey],
        at: Timestamp,
        marking: Marking,
        mut options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        options.marker_life = Duration::ZERO;
        healthy.evict_accounts(accounts, at, marking, options).await
    }
}
