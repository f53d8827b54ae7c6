use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use token_cache::{
    Entry, Result,
    store::{
        AccountKey, Backplane, EntryAddress, ReadOptions, SessionId, SessionRecord, TokenStore,
        delegate_store,
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

#[async_trait]
impl TokenStore for InstrumentedStore {
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

    fn backplane(&self) -> Option<&dyn Backplane> {
        self.store.backplane().map(|_| self as &dyn Backplane)
    }

    delegate_store!(self => self.store; capabilities, diagnostics, namespace, set_namespace, begin, write, remove, evict, sessions, clock);
}

delegate_store!(impl RefreshLocks, SidIndex, BackgroundSessions for InstrumentedStore => store);

impl fmt::Display for InstrumentedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}
