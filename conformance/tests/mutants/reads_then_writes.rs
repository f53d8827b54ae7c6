use token_cache_conformance::async_trait;
use token_cache_core::{
    Entry, EntryAddress, Over, ReadOptions, Result, TokenStore, WriteOptions, Written,
};

use crate::broken::Fault;

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
    ) -> Result<Written> {
        let there = healthy.read(at, ReadOptions::at(options.now)).await?;
        let there = there.map(|entry| entry.version());
        let may_replace = match options.over {
            Over::Anything => true,
            Over::Nothing => there.is_none(),
            Over::Version(version) => there == Some(version),
        };
        if !may_replace && there != Some(entry.version()) {
            return Ok(Written::Superseded);
        }
        tokio::task::yield_now().await;
        options.over = Over::Anything;
        healthy.write(at, entry, options).await
    }
}
