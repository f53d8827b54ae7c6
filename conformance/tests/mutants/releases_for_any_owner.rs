use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{AcquireOptions, Acquired, EntryAddress, LockOwner, RefreshLocks, Result};

use crate::fault::Fault;

/// Releases a lock for any owner.
#[derive(Default)]
pub(crate) struct ReleasesForAnyOwner {
    holders: Mutex<HashMap<EntryAddress, LockOwner>>,
}

#[async_trait]
impl Fault for ReleasesForAnyOwner {
    async fn acquire(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        options: AcquireOptions,
    ) -> Result<Acquired> {
        let acquired = healthy.acquire(at, options).await?;
        if acquired == Acquired::Held {
            self.holders
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*at, options.owner);
        }
        Ok(acquired)
    }

    async fn release(
        &self,
        healthy: &dyn RefreshLocks,
        at: &EntryAddress,
        _: &LockOwner,
    ) -> Result<()> {
        let holder = self
            .holders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(at);
        match holder {
            Some(holder) => healthy.release(at, &holder).await,
            None => Ok(()),
        }
    }
}
