//! Stores that remember too little of what created an entry, or too much.

use std::{sync::Mutex, sync::PoisonError};

use token_cache_core::{EntryAddress, PutMode, PutResult, ReadOptions, Version, WriteOptions};

use crate::fault::fault;

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

fault! {
    impl[const N: usize] RemembersCreations<N> {
        write(self, healthy, at, entry, options) {
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
}

fault! {
    impl ForgetsWhatItRemoves {
        write(self, healthy, at, entry, options) {
            self.0.write(healthy, at, entry, options).await
        }

        remove(self, healthy, at) {
            self.0.forget(at);
            healthy.remove(at).await
        }
    }
}

fault! {
    impl RemembersVersionsAlone {
        write(self, healthy, at, entry, options) {
            let over_nothing = options.mode == PutMode::Create;
            let version = entry.version();
            if over_nothing && !self.0.has(at, version) && self.0.has_anywhere(version) {
                return Ok(PutResult::PreconditionFailed);
            }
            self.0.write(healthy, at, entry, options).await
        }
    }
}
