use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use token_cache_conformance::async_trait;
use token_cache_core::{Entry, EntryAddress, ReadOptions, Result, TokenStore};

use crate::fault::Fault;

/// Keeps what it read, and serves it without a check.
#[derive(Default)]
pub(crate) struct ServesCachedReads {
    copies: Mutex<HashMap<EntryAddress, Entry>>,
}

#[async_trait]
impl Fault for ServesCachedReads {
    async fn read(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        options: ReadOptions,
    ) -> Result<Option<Entry>> {
        if let Some(copy) = self
            .copies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(at)
        {
            return Ok(Some(copy.clone()));
        }
        let read = healthy.read(at, options).await?;
        if let Some(entry) = &read {
            self.copies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*at, entry.clone());
        }
        Ok(read)
    }
}
