use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, ReadOptions, Result, Timestamp, TokenStore};

use crate::fault::Fault;

/// Reads what has expired.
#[derive(Default)]
pub(crate) struct IgnoresEntryExpiry;

#[async_trait]
impl Fault for IgnoresEntryExpiry {
    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        healthy
            .session(at.account(), at.session_id(), options)
            .await?;
        healthy
            .read(at, ReadOptions::at(Timestamp::from_millis(0)))
            .await
    }
}
