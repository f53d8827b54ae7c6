mod backplane;
mod partition;
mod shards;
mod sid_index;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use self::{backplane::Registry, partition::Partition, shards::Shards};
use crate::{
    AccountKey, AcquireOptions, Acquired, BackgroundKey, BackgroundSession, BackgroundSessions,
    Backplane, BeginSession, Begun, Capabilities, Diagnostic, Entry, EntryAddress, Error,
    ErrorKind, EvictOptions, EvictTarget, Evicted, Invalidation, LockOwner, Namespace,
    NamespaceRecord, PutResult, ReadOptions, RefreshLocks, Result, SessionId, SessionRecord,
    SystemClock, TimeSource, TokenStore, Version, WriteOptions, backend::SidTable,
};

/// The most bytes of an entry.
const MAX_ENTRY_BYTES: usize = 16 << 20;

/// The default weight limit: 1 GiB.
const WEIGHT_LIMIT: usize = 1 << 30;

/// A store in the memory of this process, for tests, for development and for apps with one server. All data is lost when the process ends.
///
/// The clones of a store share all data, as the app servers of a fleet do. The store has a limit of its [`weight`](Self::weight) in bytes,
/// 1 GiB by default. At the limit, it removes expired data. Sign-ins and writes that still exceed the limit fail with
/// [`Full`](ErrorKind::Full). It never removes other data to make room (G4), and a sign-out always works. A value of an entry has at most
/// 16 MiB: a larger one fails with [`TooLarge`](ErrorKind::TooLarge).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// use token_cache::{MemoryStore, Secret, TokenCache};
///
/// let (store, secret) = (MemoryStore::new(), Secret::random()?);
/// let server_a = TokenCache::open(store.clone(), secret.clone()).await?;
/// let server_b = TokenCache::open(store, secret).await?; // sees what A sees
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    clock: Arc<dyn TimeSource>,
    namespace: Mutex<Option<NamespaceRecord>>,
    shards: Shards,
    sids: Mutex<SidTable>,
    registry: Registry,
}

impl MemoryStore {
    /// Creates an empty store with a limit of 1 GiB for the [`weight`](Self::weight) of its data. Sign-ins and writes that would exceed the
    /// limit fail with [`Full`](ErrorKind::Full). Its clock is the wall clock of this machine.
    pub fn new() -> Self {
        Self::with(WEIGHT_LIMIT, Arc::new(SystemClock))
    }

    /// Creates an empty store with a limit of `bytes` bytes for the [`weight`](Self::weight) of its data. Its clock is the wall clock of
    /// this machine.
    ///
    /// If a sign-in or a write would exceed the limit, the store first removes expired data. If that is not enough, the call fails with
    /// [`Full`](ErrorKind::Full), and no other data is removed.
    ///
    /// Each session counts as 200 bytes. Each entry counts as its stored bytes and 100 bytes more. If
    /// [`PutMode::Create`](crate::PutMode::Create) wrote it, it counts as its stored bytes and at most 712 bytes more. Of these, all but
    /// 100 count until the session ends, even if the entry is removed earlier. Background sessions, refresh locks, not-before times and the
    /// index of `sid`s do not count.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) if `bytes` is less than 64 KiB.
    pub fn with_weight_limit(bytes: usize) -> Result<Self> {
        if bytes < 64 << 10 {
            return Err(Error::config(
                "open the memory store",
                "the weight limit must be at least 64 KiB",
            ));
        }
        Ok(Self::with(bytes, Arc::new(SystemClock)))
    }

    /// Creates an empty store with the clock `clock`, such as a [`ManualClock`](crate::test_util::ManualClock), for tests. The limit for
    /// the [`weight`](Self::weight) of its data is 1 GiB, as for [`new`](Self::new).
    #[cfg(feature = "test-util")]
    pub fn with_clock(clock: impl TimeSource) -> Self {
        Self::with(WEIGHT_LIMIT, Arc::new(clock))
    }

    fn with(weight_limit: usize, clock: Arc<dyn TimeSource>) -> Self {
        Self(Arc::new(Inner {
            clock,
            namespace: Mutex::default(),
            shards: Shards::new(weight_limit),
            sids: Mutex::default(),
            registry: Registry::default(),
        }))
    }

    /// Returns the weight of the stored data in bytes, as [`with_weight_limit`](Self::with_weight_limit) counts it. The store refuses
    /// sign-ins and writes that would exceed its weight limit with [`Full`](ErrorKind::Full). The result includes expired data that was not
    /// removed yet.
    pub fn weight(&self) -> usize {
        self.0.shards.weight()
    }

    fn with_partition<T>(&self, account: &AccountKey, step: impl FnOnce(&mut Partition) -> T) -> T {
        self.0.shards.with(account, self.0.clock.now(), step)
    }

    fn make_room(&self, operation: &'static str, bytes: usize) -> Result<()> {
        if self.0.shards.make_room(bytes, self.0.clock.now()) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Full, operation)
            .store("memory")
            .message("the store is at its weight limit; raise the limit, or use Redis or DynamoDB"))
    }

    fn sids(&self) -> std::sync::MutexGuard<'_, SidTable> {
        self.0.sids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TokenStore for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(MAX_ENTRY_BYTES)
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn namespace(&self) -> Result<Namespace> {
        let record = *self
            .0
            .namespace
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(Namespace::new(record, self.0.clock.now()))
    }

    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        let mut held = self
            .0
            .namespace
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let matches = held.as_ref() == expected;
        if matches {
            *held = Some(*record);
        }
        Ok(matches)
    }

    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        self.make_room("begin a session", partition::SESSION_WEIGHT)?;
        let now = self.0.clock.now();
        self.with_partition(account, |partition| partition.begin(session, now))
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        self.with_partition(account, |partition| {
            partition.session(session_id, options.now).cloned()
        })
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        self.with_partition(at.account(), |partition| partition.read(at, options.now))
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        if entry.stored().len() > MAX_ENTRY_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "write an entry")
                .store("memory")
                .message(format!(
                    "the value has {} bytes; store at most {MAX_ENTRY_BYTES} in one entry",
                    entry.stored().len()
                )));
        }
        self.make_room("write an entry", partition::entry_weight(&entry))?;
        self.with_partition(at.account(), |partition| {
            partition.write(at, entry, &options)
        })
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.with_partition(at.account(), |partition| partition.remove(at));
        Ok(())
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let now = self.0.clock.now();
        let evicted =
            self.with_partition(account, |partition| partition.evict(target, options, now));
        let Some(signer) = options.publish else {
            return Ok(evicted);
        };
        let what = Invalidation::Accounts(vec![*account]);
        Ok(evicted.published(self.0.registry.publish(Some(signer), what)?))
    }

    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>> {
        Ok(self.with_partition(account, |partition| partition.sessions(options.now)))
    }

    fn clock(&self) -> Option<&dyn TimeSource> {
        Some(&*self.0.clock)
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        Some(self)
    }
}

#[async_trait]
impl RefreshLocks for MemoryStore {
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        let now = self.0.clock.now();
        self.with_partition(at.account(), |partition| {
            partition.acquire(at, options, now)
        })
    }

    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        self.with_partition(at.account(), |partition| {
            partition.end_if_version(at, version, options.now)
        })
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        self.with_partition(at.account(), |partition| partition.release(at, owner));
        Ok(())
    }
}

#[async_trait]
impl BackgroundSessions for MemoryStore {
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()> {
        self.with_partition(account, |partition| {
            partition.keep(name, background_session, options.now)
        })
    }

    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>> {
        Ok(self.with_partition(account, |partition| partition.find(name, options.now)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("weight", &self.weight())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}
