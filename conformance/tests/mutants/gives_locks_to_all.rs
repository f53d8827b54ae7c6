use token_cache_conformance::async_trait;
use token_cache_core::{AcquireOptions, Acquired, EntryAddress, RefreshLocks, Result};

use crate::fault::Fault;

/// Gives a lock to every owner that asks.
#[derive(Default)]
pub(crate) struct GivesLocksToAll;

#[async_trait]
impl Fault for GivesLocksToAll {
    async fn acquire(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        options: AcquireOptions,
    ) -> Result<Acquired> {
        Ok(match healthy.acquire(at, options).await? {
            Acquired::Busy(_) => Acquired::Held,
            other => other,
        })
    }
}
