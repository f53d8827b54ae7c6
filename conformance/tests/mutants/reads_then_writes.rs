use token_cache_conformance::async_trait;
use token_cache_core::{
    Entry, EntryAddress, PutMode, PutResult, ReadOptions, Result, TokenStore, WriteOptions,
};

use crate::fault::Fault;

/// Compares versions in a step of its own, before it writes.
#[derive(Default)]
pub(crate) struct ReadsThenWrites;

#[async_trait]
impl Fault for ReadsThenWrites {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        mut options: WriteOptions,
    ) -> Result<PutResult> {
        let there = healthy.read(at, ReadOptions::at(options.now)).await?;
        let there = there.map(|entry| entry.version());
        let may_replace = match options.mode {
            PutMode::Overwrite => true,
            PutMode::Create => there.is_none(),
            PutMode::Update(version) => there == Some(version),
        };
        if !may_replace && there != Some(entry.version()) {
            return Ok(PutResult::PreconditionFailed);
        }
        tokio::task::yield_now().await;
        options.mode = PutMode::Overwrite;
        healthy.write(at, entry, options).await
    }
}
