use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, Entry, EntryAddress, EntryName, PutResult, ReadOptions, Result, TokenStore,
    WriteOptions,
};

use crate::fault::Fault;

/// Leaves the session out of its entries' keys.
#[derive(Default)]
pub(crate) struct MixesSessions {
    entries: Mutex<HashMap<(AccountKey, EntryName), Entry>>,
}

#[async_trait]
impl Fault for MixesSessions {
    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        healthy.read(at, options).await?;
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.get(&(*at.account(), *at.name())).cloned())
    }

    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let written = healthy.write(at, entry.clone(), options).await?;
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((*at.account(), *at.name()), entry);
        Ok(written)
    }
}
