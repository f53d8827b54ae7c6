use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use token_cache::{
    Entry, PutResult, Result,
    admin::Diagnostic,
    store::{
        AccountKey, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities, EntryAddress,
        EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, ReadOptions, RefreshLocks,
        SessionId, SessionRecord, SidIndex, TimeSource, TokenStore, WriteOptions,
    },
};

use super::backplane_switch::BackplaneSwitch;

/// A store that passes everything on. It counts the reads of tokens, so that it can be told which were never asked of it.
#[derive(Debug, Clone)]
pub(crate) struct InstrumentedStore {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) switch: Arc<BackplaneSwitch>,
    reads: Arc<AtomicU64>,
}

impl InstrumentedStore {
    pub(crate) fn new(store: Arc<dyn TokenStore>) -> Self {
        Self {
            store,
            switch: Arc::new(BackplaneSwitch::new()),
            reads: Arc::default(),
        }
    }

    pub(crate) const fn switch(&self) -> &Arc<BackplaneSwitch> {
        &self.switch
    }

    /// How many reads have reached the store.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TokenStore for InstrumentedStore {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.store.diagnostics()
    }

    async fn namespace(&self) -> Result<Namespace> {
        self.store.namespace().await
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.store.set_namespace(expected, record).await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.store.begin(account, session).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.count();
        self.store.session(account, session_id, options).await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.count();
        self.store.read(at, options).await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        self.store.write(at, entry, options).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.store.remove(at).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.store.evict(account, target, options).await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.store.sessions(account, options).await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        self.store.clock()
    }

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        self.store.refresh_locks()
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        self.store.sid_index()
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        self.store.background_sessions()
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        self.store.backplane().map(|_| self as &dyn Backplane)
    }
}

impl fmt::Display for InstrumentedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
