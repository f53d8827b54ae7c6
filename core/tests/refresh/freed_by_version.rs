use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, AcquireOptions, Acquired, BackgroundSessions, Backplane, BeginSession, Begun,
    Capabilities, Diagnostic, Entry, EntryAddress, EntryName, EvictOptions, EvictTarget, Evicted,
    LockOwner, MemoryStore, Namespace, NamespaceRecord, PutMode, PutResult, ReadOptions,
    RefreshLocks, Result, SessionId, SessionRecord, SidIndex, TimeSource, TokenStore, Version,
    WriteOptions,
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
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn namespace(&self) -> Result<Namespace> {
        self.inner.namespace().await
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.inner.set_namespace(expected, record).await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.inner.begin(account, session).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.inner.session(account, session_id, options).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.inner.read(at, options).await
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

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.inner.remove(at).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.inner.evict(account, target, options).await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.inner.sessions(account, options).await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        self.inner.clock()
    }

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        Some(self)
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        None
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        None
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        None
    }
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

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        self.inner.end_if_version(at, version, options).await
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.inner.release(at, owner).await
    }
}

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
