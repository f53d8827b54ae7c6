use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, PutMode, PutResult, Result, TokenStore, WriteOptions};

use crate::fault::Fault;

/// Writes over any version.
#[derive(Default)]
pub(crate) struct IgnoresVersions;

#[async_trait]
impl Fault for IgnoresVersions {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        mut options: WriteOptions,
    ) -> Result<PutResult> {
        options.mode = PutMode::Overwrite;
        healthy.write(at, entry, options).await
    }
}
