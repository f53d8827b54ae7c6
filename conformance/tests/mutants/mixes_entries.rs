use token_cache_conformance::async_trait;
use token_cache_core::{
    Entry, EntryAddress, EntryName, PutResult, ReadOptions, Result, TokenStore, WriteOptions,
};

use crate::fault::Fault;

const ONE: EntryName = EntryName::from_bytes([0; 16]);

/// Stores all entries of a session under one name.
#[derive(Default)]
pub(crate) struct MixesEntries;

#[async_trait]
impl Fault for MixesEntries {
    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        healthy
            .read(
                &EntryAddress::new(*at.account(), *at.session_id(), ONE),
                options,
            )
            .await
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        healthy
            .write(
                &EntryAddress::new(*at.account(), *at.session_id(), ONE),
                entry,
                options,
            )
            .await
    }
}
