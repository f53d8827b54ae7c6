//! Stores that remember too little of what created an entry, or too much.

use std::sync::{Mutex, PoisonError};

use token_cache_conformance::async_trait;
use token_cache_core::{
    Entry, EntryAddress, PutMode, PutResult, ReadOptions, Result, TokenStore, Version, WriteOptions,
};

use crate::fault::Fault;

/// Remembers the last `N` creations of an entry; a late copy of an earlier one creates it again.
#[derive(Default)]
pub(crate) struct RemembersCreations<const N: usize>(Mutex<Vec<(EntryAddress, Version)>>);

/// Forgets what created an entry when the entry is removed.
#[derive(Default)]
pub(crate) struct ForgetsWhatItRemoves(RemembersCreations<64>);

/// Remembers versions, and not of which entry they are.
#[derive(Default)]
pub(crate) struct RemembersVersionsAlone(RemembersCreations<64>);

impl<const N: usize> RemembersCreations<N> {
    fn has(&self, at: &EntryAddress, version: Version) -> bool {
        let created = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = created.iter().rev().filter(|(of, _)| of == at).take(N);
        last.any(|(_, created)| *created == version)
    }

    fn has_anywhere(&self, version: Version) -> bool {
        let created = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        created.iter().any(|(_, created)| *created == version)
    }

    fn forget(&self, at: &EntryAddress) {
        let mut created = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        created.retain(|(of, _)| of != at);
    }

    fn remember(&self, at: &EntryAddress, version: Version) {
        let mut created = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        created.push((*at, version));
    }
}

#[async_trait]
impl<const N: usize> Fault for RemembersCreations<N> {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let version = entry.version();
        let written = healthy.write(at, entry.clone(), options.clone()).await?;
        if options.mode != PutMode::Create {
            return Ok(written);
        }
        let read = ReadOptions::at(options.now);
        if written == PutResult::PreconditionFailed
            && !self.has(at, version)
            && healthy.read(at, read).await?.is_none()
        {
            let options = WriteOptions::at(options.now);
            return healthy.write(at, entry, options).await;
        }
        if written == PutResult::Stored && !self.has(at, version) {
            self.remember(at, version);
        }
        Ok(written)
    }
}

#[async_trait]
impl Fault for ForgetsWhatItRemoves {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        self.0.write(healthy, at, entry, options).await
    }

    async fn remove(&self, healthy: &dyn TokenStore, at: &EntryAddress) -> Result<()> {
        self.0.forget(at);
        healthy.remove(at).await
    }
}

#[async_trait]
impl Fault for RemembersVersionsAlone {
    async fn write(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let over_nothing = options.mode == PutMode::Create;
        let version = entry.version();
        if over_nothing && !self.0.has(at, version) && self.0.has_anywhere(version) {
            return Ok(PutResult::PreconditionFailed);
        }
        self.0.write(healthy, at, entry, options).await
    }
}
