use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, ReadOptions, Result, TokenStore};

use crate::fault::Fault;

/// Reports an empty value as a miss.
#[derive(Default)]
pub(crate) struct TakesEmptyForAMiss;

#[async_trait]
impl Fault for TakesEmptyForAMiss {
    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        Ok(healthy
            .read(at, options)
            .await?
            .filter(|entry| !entry.stored().is_empty()))
    }
}
