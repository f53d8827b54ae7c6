//! A store that works, except for one fault.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::fault::Fault;
use token_cache_conformance::{Breakable, Harness, NoStore, TestClock, async_trait};
use token_cache_core::{
    AccountKey, AccountListOptions, AccountPage, AcquireOptions, Acquired, BackgroundKey,
    BackgroundSession, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities,
    CutoffBound, Diagnostic, Entry, EntryAddress, EvictOptions, EvictTarget, Evicted, IssuerKey,
    LockOwner, MemoryStore, Namespace, NamespaceRecord, NotBeforeOptions, NotBeforeScope,
    PutResult, ReadOptions, RefreshLocks, Result, SessionId, SessionRecord, SidAccounts, SidEntry,
    SidIndex, SidKey, TimeSource, Timestamp, TokenStore, Version, WriteOptions,
    test_util::FailingStore,
};

/// A memory store with a fault, which all its servers share.
#[derive(Clone)]
pub(crate) struct Broken<F> {
    pub(crate) fault: Arc<F>,
    pub(crate) healthy: Arc<dyn TokenStore>,
}

/// Makes broken stores, one a namespace.
pub(crate) struct Workshop<F>(Mutex<HashMap<String, Parts<F>>>);

struct Parts<F> {
    healthy: MemoryStore,
    clock: TestClock,
    fault: Arc<F>,
}

impl<F: Fault> Workshop<F> {
    pub(crate) fn open() -> Arc<dyn Harness> {
        Arc::new(Self(Mutex::default()))
    }

    fn parts(&self, namespace: &str) -> (MemoryStore, Arc<F>) {
        self.with(namespace, |parts| {
            (parts.healthy.clone(), Arc::clone(&parts.fault))
        })
    }

    fn with<T>(&self, namespace: &str, read: impl FnOnce(&Parts<F>) -> T) -> T {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read(made.entry(namespace.to_owned()).or_insert_with(|| {
            let clock = TestClock::default();
            Parts {
                healthy: MemoryStore::with_clock(clock.clone()),
                clock,
                fault: Arc::default(),
            }
        }))
    }
}

#[async_trait]
impl<F: Fault> Harness for Workshop<F> {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn open(&self, namespace: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        let (healthy, fault) = self.parts(namespace);
        Ok(Arc::new(Broken {
            fault,
            healthy: Arc::new(healthy),
        }))
    }

    /// The failure is behind the fault, as a server's is behind its driver.
    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        let (healthy, fault) = self.parts(namespace);
        let failing = FailingStore::new(healthy);
        let store = Broken {
            fault,
            healthy: Arc::new(failing.clone()),
        };
        Ok(Breakable::new(Arc::new(store), Arc::new(failing)))
    }

    async fn let_time_pass(&self, namespace: &str, by: Duration) -> Result<bool, NoStore> {
        self.with(namespace, |parts| parts.clock.advance(by));
        Ok(true)
    }
}

#[async_trait]
impl<F: Fault> TokenStore for Broken<F> {
    fn capabilities(&self) -> Capabilities {
        self.healthy.capabilities()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn namespace(&self) -> Result<Namespace> {
        self.fault.namespace(&*self.healthy).await
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.fault
            .set_namespace(&*self.healthy, expected, record)
            .await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.fault.begin(&*self.healthy, account, session).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.fault
            .session(&*self.healthy, account, session_id, options)
            .await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.fault.read(&*self.healthy, at, options).await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        self.fault.write(&*self.healthy, at, entry, options).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.fault.remove(&*self.healthy, at).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        self.fault
            .evict(&*self.healthy, account, target, options)
            .await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.fault.sessions(&*self.healthy, account, options).await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        self.healthy.clock()
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        Some(self)
    }
}

#[async_trait]
impl<F: Fault> RefreshLocks for Broken<F> {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        self.fault.acquire(&*self.healthy, at, options).await
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.fault.release(&*self.healthy, at, owner).await
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let ending = self
            .fault
            .end_if_version(&*self.healthy, at, version, options);
        ending.await
    }
}

#[async_trait]
impl<F: Fault> BackgroundSessions for Broken<F> {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        self.fault
            .keep(&*self.healthy, account, name, background_session, options)
            .await
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        self.fault
            .find(&*self.healthy, account, name, options)
            .await
    }
}

#[async_trait]
impl<F: Fault> SidIndex for Broken<F> {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        self.fault.add(&*self.healthy, sid, sid_entry).await
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        self.fault
            .set_sid_not_before(&*self.healthy, sid, bound, options)
            .await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let healthy = &*self.healthy;
        self.fault
            .check_issuer(healthy, issuer, requested_at, not_after)
            .await
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        self.fault
            .set_issuer_not_before(&*self.healthy, issuer, at, options)
            .await
    }

    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        self.fault.accounts(&*self.healthy, scan).await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        self.fault
            .evict_accounts(&*self.healthy, accounts, at, not_before, options)
            .await
    }
}

impl<F> fmt::Debug for Broken<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broken")
            .field("healthy", &self.healthy)
            .finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Broken<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}
