use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use super::failing_link::{FailingLink, LinkManner};
use crate::{
    AccountKey, AcquireOptions, Acquired, Announced, BeginSession, Begun, Capabilities, Cut,
    Directory, Entry, EntryAddress, EpochHash, Error, ErrorKind, Escrow, EscrowName, Escrowed,
    EvictOptions, Evicted, Invalidation, IssuerKey, Link, LinkConnection, Listener, LockOwner,
    MarkOptions, Marking, Namespace, NamespaceRecord, Page, Pointed, Pointer, ReadOptions,
    RefreshLocks, Result, Scan, ServerId, SessionRecord, SidKey, TimeSource, Timestamp, TokenStore,
    Until, Version, WriteOptions, Written,
};

/// A store that does what the one inside does, until it is told to fail. Its clones fail together.
#[derive(Clone)]
pub struct FailingStore {
    inner: Arc<dyn TokenStore>,
    manner: Arc<Mutex<Manner>>,
    link: FailingLink,
    requests: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Manner {
    failure: Option<Failure>,
    late: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Failure {
    kind: ErrorKind,
    /// The step is carried out, and its answer lost.
    applied: bool,
}

impl FailingStore {
    /// A store that works, for now.
    pub fn new(inner: impl TokenStore) -> Self {
        Self {
            inner: Arc::new(inner),
            manner: Arc::default(),
            link: FailingLink::default(),
            requests: Arc::default(),
        }
    }

    /// How many requests there were, those that failed too.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// From now on every request fails, and nothing is done.
    pub fn fail_with(&self, kind: ErrorKind) {
        let applied = false;
        self.manner().failure = Some(Failure { kind, applied });
    }

    /// From now on every request is carried out, and its answer lost: what a timeout may be.
    pub fn lose_answers_with(&self, kind: ErrorKind) {
        let applied = true;
        self.manner().failure = Some(Failure { kind, applied });
    }

    /// From now on every answer comes so late.
    pub fn answer_late(&self, late: Duration) {
        self.manner().late = late;
    }

    /// From now on the link's connections are lost, none can be opened, and what is announced apart fails. All else goes on,
    /// evictions that are announced too.
    pub fn cut_link(&self) {
        self.link.set(LinkManner::Cut);
    }

    /// From now on nothing comes through the link, and nobody is told: a connection that is half open. All else goes on.
    pub fn freeze_link(&self) {
        self.link.set(LinkManner::Frozen);
    }

    /// It has no link: said before it is used.
    pub fn without_link(self) -> Self {
        self.link.set(LinkManner::Absent);
        self
    }

    /// From now on it works again, and at once.
    pub fn work(&self) {
        *self.manner() = Manner::default();
        if self.link.manner() != LinkManner::Absent {
            self.link.set(LinkManner::Works);
        }
    }

    fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn request<T>(
        &self,
        operation: &'static str,
        step: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let Manner { failure, late } = *self.manner();
        self.requests.fetch_add(1, Ordering::SeqCst);
        let step = async {
            let answer = step.await;
            if !late.is_zero() {
                tokio::time::sleep(late).await;
            }
            answer
        };
        let Some(Failure { kind, applied }) = failure else {
            return step.await;
        };
        let error = Error::new(kind, operation)
            .store("failing")
            .message("it was told to fail");
        if !applied {
            return Err(error);
        }
        step.await?;
        Err(error.maybe_applied())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TokenStore for FailingStore {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn namespace(&self) -> Result<Namespace> {
        self.request("read the namespace", self.inner.namespace())
            .await
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        self.request(
            "write the namespace",
            self.inner.set_namespace(expected, record),
        )
        .await
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.request("begin a session", self.inner.begin(account, session))
            .await
    }

    async fn session(
        &self,
        account: &AccountKey,
        epoch: &EpochHash,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.request(
            "read a session",
            self.inner.session(account, epoch, options),
        )
        .await
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.request("read an entry", self.inner.read(at, options))
            .await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<Written> {
        self.request("write an entry", self.inner.write(at, entry, options))
            .await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.request("remove an entry", self.inner.remove(at)).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        cut: Cut,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        options.announce = options.announce.filter(|_| self.link().is_some());
        self.request("sign out", self.inner.evict(account, cut, options))
            .await
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        self.request("list sessions", self.inner.sessions(account, options))
            .await
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        self.inner.clock()
    }

    fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
        self.inner.refresh_locks().is_some().then_some(self as _)
    }

    fn directory(&self) -> Option<&dyn Directory> {
        self.inner.directory().is_some().then_some(self as _)
    }

    fn escrow(&self) -> Option<&dyn Escrow> {
        self.inner.escrow().is_some().then_some(self as _)
    }

    fn link(&self) -> Option<&dyn Link> {
        let has_link = self.link.manner() != LinkManner::Absent && self.inner.link().is_some();
        has_link.then_some(self as _)
    }
}

#[async_trait]
impl Link for FailingStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        let link = self.inner.link().ok_or_else(unsupported)?;
        let connecting = self.link.connect(link, server, listener);
        self.request("open the link", connecting).await
    }

    async fn announce(&self, signer: Option<ServerId>, what: Invalidation) -> Result<Announced> {
        let link = self.inner.link().ok_or_else(unsupported)?;
        let announcing = self.request("announce", link.announce(signer, what));
        self.link.request(announcing).await
    }
}

#[async_trait]
impl RefreshLocks for FailingStore {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        let locks = self.inner.refresh_locks().ok_or_else(unsupported)?;
        self.request("take a refresh lock", locks.acquire(at, options))
            .await
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let locks = self.inner.refresh_locks().ok_or_else(unsupported)?;
        let ending = locks.end_if_version(at, version, options);
        self.request("end a session", ending).await
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        let locks = self.inner.refresh_locks().ok_or_else(unsupported)?;
        self.request("release a refresh lock", locks.release(at, owner))
            .await
    }
}

#[async_trait]
impl Escrow for FailingStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        escrowed: Escrowed,
        options: ReadOptions,
    ) -> Result<()> {
        let escrow = self.inner.escrow().ok_or_else(unsupported)?;
        self.request(
            "keep an escrow",
            escrow.keep(account, name, escrowed, options),
        )
        .await
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &EscrowName,
        options: ReadOptions,
    ) -> Result<Vec<Escrowed>> {
        let escrow = self.inner.escrow().ok_or_else(unsupported)?;
        self.request("find an escrow", escrow.find(account, name, options))
            .await
    }
}

#[async_trait]
impl Directory for FailingStore {
    async fn point(&self, sid: &SidKey, pointer: Pointer) -> Result<()> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request("enter a `sid`", directory.point(sid, pointer))
            .await
    }

    async fn cut_provider_session(
        &self,
        sid: &SidKey,
        until: Until,
        options: MarkOptions,
    ) -> Result<Pointed> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request(
            "sign out a `sid`",
            directory.cut_provider_session(sid, until, options),
        )
        .await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request(
            "check the issuer",
            directory.check_issuer(issuer, requested_at, not_after),
        )
        .await
    }

    async fn cut_issuer(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: MarkOptions,
    ) -> Result<()> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request(
            "sign out an issuer",
            directory.cut_issuer(issuer, at, options),
        )
        .await
    }

    async fn accounts(&self, scan: &Scan) -> Result<Page> {
        let directory = self.inner.directory().ok_or_else(unsupported)?;
        self.request("list accounts", directory.accounts(scan))
            .await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        marking: Marking,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let mut evicted = Vec::with_capacity(accounts.len());
        for account in accounts {
            let Some(directory) = self.inner.directory() else {
                evicted.push(Err(unsupported()));
                continue;
            };
            let one = async {
                let one = std::slice::from_ref(account);
                directory
                    .evict_accounts(one, at, marking, options)
                    .await
                    .remove(0)
            };
            evicted.push(self.request("sign out", one).await);
        }
        evicted
    }
}

impl fmt::Debug for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingStore")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failing({})", self.inner)
    }
}

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "use an optional part")
}
