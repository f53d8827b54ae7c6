use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, PutResult, Result, TokenStore, WriteOptions};

use crate::fault::Fault;

/// Says that a refused write was stored.
#[derive(Default)]
pub(crate) struct SwallowsRefusals;

#[async_trait]
impl Fault for SwallowsRefusals {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        match healthy.write(at, entry, options).await {
            Err(error) if error.is_signed_out() => Ok(PutResult::Stored),
            answer => answer,
        }
    }
}
