use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::{
    AcquireOptions, Acquired, Backplane, Diagnostic, Entry, EntryAddress, EntryName, LockOwner,
    MemoryStore, PutMode, PutResult, RefreshLocks, Result, TokenStore, WriteOptions,
    delegate_store,
};
use tokio::time;

/// The delay of an unconditional or creating write, long enough for other callers to proceed meanwhile.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// A store on which only a new version of the entry releases its lock, and whose unconditional and creating writes are slow.
#[derive(Clone, Default)]
pub(crate) struct FreedByVersion {
    inner: MemoryStore,
    held: Arc<Mutex<HashMap<EntryName, LockOwner>>>,
}

impl FreedByVersion {
    pub(crate) fn is_held(&self, at: &EntryAddress) -> bool {
        self.held.lock().unwrap().contains_key(at.name())
    }
}

#[async_trait]
impl TokenStore for FreedByVersion {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        if !matches!(options.mode, PutMode::Update(_)) {
            time::sleep(ON_ITS_WAY).await;
        }
        let written = self.inner.write(at, entry, options).await?;
        let holder = self.held.lock().unwrap().remove(at.name());
        if let Some(holder) = holder {
            self.inner.release(at, &holder).await?;
        }
        Ok(written)
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }

    delegate_store!(self => self.inner; capabilities, namespace, set_namespace, begin, session, read, remove, evict, sessions, clock);
}

#[async_trait]
impl RefreshLocks for FreedByVersion {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        let acquired = self.inner.acquire(at, options).await?;
        if acquired == Acquired::Held {
            let mut held = self.held.lock().unwrap();
            held.insert(*at.name(), options.owner);
        }
        Ok(acquired)
    }

    delegate_store!(self => self.inner; end_if_version, release);
}

delegate_store!(impl SidIndex, BackgroundSessions for FreedByVersion => inner);

impl fmt::Debug for FreedByVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreedByVersion").finish_non_exhaustive()
    }
}

impl fmt::Display for FreedByVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("freed by version")
    }
}
