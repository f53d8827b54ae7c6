use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, ReadOptions, Result, TokenStore};

use crate::fault::Fault;

/// Reports an entry that it could not read as a miss.
#[derive(Default)]
pub(crate) struct TakesErrorsForMisses;

#[async_trait]
impl Fault for TakesErrorsForMisses {
    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        match healthy.read(at, options).await {
            Err(error) if !error.is_signed_out() => Ok(None),
            answer => answer,
        }
    }
}
