use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use super::failing_backplane::{BackplaneManner, FailingBackplane};
use crate::{
    AccountKey, Backplane, BeginSession, Begun, Capabilities, Diagnostic, Entry, EntryAddress,
    Error, ErrorKind, EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, PutResult,
    ReadOptions, Result, SessionId, SessionRecord, TimeSource, TokenStore, WriteOptions,
};

/// A store for tests that forwards every request to another store, and fails when the test tells it to. Its clones fail together.
///
/// The store works until the test calls a method such as [`fail_with`](Self::fail_with). [`work`](Self::work) ends all failures.
#[derive(Clone)]
pub struct FailingStore {
    pub(super) inner: Arc<dyn TokenStore>,
    manner: Arc<Mutex<Manner>>,
    pub(super) backplane: FailingBackplane,
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
    /// Whether the request is applied and only its answer is lost.
    applied: bool,
}

impl FailingStore {
    /// Creates a store that forwards every request to `inner`, without failures and delays.
    pub fn new(inner: impl TokenStore) -> Self {
        Self {
            inner: Arc::new(inner),
            manner: Arc::default(),
            backplane: FailingBackplane::default(),
            requests: Arc::default(),
        }
    }

    /// Returns the number of requests that this store and its clones received since it was created, including those that failed. Requests
    /// over an open backplane connection do not count.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Makes every request fail with an error of this `kind`, until [`work`](Self::work) is called. The requests have no effect on the
    /// inner store.
    ///
    /// An open backplane connection continues to work: see [`cut_backplane`](Self::cut_backplane).
    pub fn fail_with(&self, kind: ErrorKind) {
        let applied = false;
        self.manner().failure = Some(Failure { kind, applied });
    }

    /// Makes every request fail although the inner store carries it out, as after a timeout, until [`work`](Self::work) is called. The
    /// caller gets an error of this `kind`, for which [`may_have_applied`](crate::Error::may_have_applied) returns `true`. If the inner
    /// store refuses the request, the caller gets the error of the inner store instead.
    pub fn lose_answers_with(&self, kind: ErrorKind) {
        let applied = true;
        self.manner().failure = Some(Failure { kind, applied });
    }

    /// Makes every request return only when the duration `late` has passed since the inner store carried it out, until [`work`](Self::work)
    /// is called. By default, and with a duration of zero, requests return at once.
    pub fn answer_late(&self, late: Duration) {
        self.manner().late = late;
    }

    /// Breaks the store's [backplane](crate::Backplane) from now on: its connections are lost, none can be opened, and
    /// [`Backplane::publish`](crate::Backplane::publish) fails. [`work`](Self::work) repairs it. All other requests succeed. An eviction
    /// still ends its sessions, and publishes its invalidation message to the connections of other stores.
    pub fn cut_backplane(&self) {
        self.backplane.set(BackplaneManner::Disconnected);
    }

    /// Freezes the store's [backplane](crate::Backplane) from now on, like a half-open connection: no message arrives, its requests never
    /// return, and no error is reported. [`work`](Self::work) repairs it. Other requests continue to work.
    pub fn freeze_backplane(&self) {
        self.backplane.set(BackplaneManner::Frozen);
    }

    /// Returns the same store without a backplane, like DynamoDB. Call it before the store is used, because backplane connections that are
    /// open already would fail. The clones have no backplane either. [`work`](Self::work) does not undo it.
    pub fn without_backplane(self) -> Self {
        self.backplane.set(BackplaneManner::Absent);
        self
    }

    /// Makes the store and its backplane work again, without failures and delays. A store [without a backplane](Self::without_backplane)
    /// stays without one.
    pub fn work(&self) {
        *self.manner() = Manner::default();
        if self.backplane.manner() != BackplaneManner::Absent {
            self.backplane.set(BackplaneManner::Works);
        }
    }

    fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn request<T>(
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
            .message("the test told this store to fail");
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

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.inner.diagnostics()
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
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.request(
            "read a session",
            self.inner.session(account, session_id, options),
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
    ) -> Result<PutResult> {
        self.request("write an entry", self.inner.write(at, entry, options))
            .await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.request("remove an entry", self.inner.remove(at)).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        options.publish = options.publish.filter(|_| self.backplane().is_some());
        self.request("sign out", self.inner.evict(account, target, options))
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

    fn backplane(&self) -> Option<&dyn Backplane> {
        let has_backplane =
            self.backplane.manner() != BackplaneManner::Absent && self.inner.backplane().is_some();
        has_backplane.then_some(self as _)
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
