use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    BootTime, NearCacheConfig, NearCacheLease, NearCacheParts, NearCacheSize, NearCacheStats,
    config::NearCacheLimits, leased_cache::LeasedCache, reads::Reads,
};
use crate::{
    AccountKey, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities, Diagnostic,
    Entry, EntryAddress, Error, ErrorKind, EvictOptions, EvictTarget, Evicted, Invalidation,
    Namespace, NamespaceRecord, PutResult, ReadOptions, RefreshLocks, Result, SessionId,
    SessionRecord, SidIndex, TimeSource, Timestamp, TokenStore, WriteOptions,
};

/// A store whose reads are served from copies in this process, for as long as its [`NearCacheLease`] has the right to.
///
/// - A hit is a read at memory speed, without a request, and never of a session that was signed out (G1): it is checked that nothing
///   was published since the copy's read was sent, that the lease runs and that the copy is not too old.
/// - Only what is there is kept. A miss, and a session that has ended, are always the store's answer.
/// - Reads of one entry that come at the same time are one request.
/// - What this server writes itself, it reads at once. A put on another server is published, and seen here within the time that takes.
/// - A copy's bytes are wiped when it goes: when its account is signed out, when there is no room for it, and within seconds of its
///   greatest age.
///
/// It renews no lease and hears no invalidation message: whoever made the [`NearCacheLease`] does, and [`forget`](Self::forget)s what is published.
/// [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache) brings it all together, as `local(sealed(store))`.
#[derive(Debug)]
pub struct NearCache<S> {
    pub(super) store: Arc<S>,
    cache: Arc<LeasedCache>,
    config: NearCacheLimits,
    entries: Arc<Reads<EntryRead, Option<Entry>>>,
    sessions: Arc<Reads<(AccountKey, SessionId), SessionRecord>>,
}

/// A read of an entry, with the session's ticket secret or without: what can be opened with it is not shared with who lacks it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct EntryRead {
    at: EntryAddress,
    has_ticket_secret: bool,
}

impl<S: TokenStore> NearCache<S> {
    /// Keeps copies of what is read from `inner`, and serves them while `holder` may. Ages are counted on `clock`.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) for a policy that is out of range, and for one that does not say the greatest age
    /// of a copy where `inner` has no backplane.
    pub fn new(
        inner: S,
        policy: NearCacheConfig,
        own_lease: Arc<NearCacheLease>,
        clock: Arc<dyn BootTime>,
    ) -> Result<Self> {
        let config = policy.on_store(inner.backplane().is_some())?;
        Ok(Self {
            store: Arc::new(inner),
            cache: Arc::new(LeasedCache::new(&config, own_lease, clock)?),
            entries: Arc::new(Reads::new()),
            sessions: Arc::new(Reads::new()),
            config,
        })
    }

    /// What a [`InvalidationCoordinator`](super::InvalidationCoordinator) needs to know of it.
    pub(crate) fn parts(&self) -> NearCacheParts {
        let cache = Arc::clone(&self.cache);
        NearCacheParts {
            own_lease: Arc::clone(cache.own_lease()),
            forget: Some(Box::new(move |what| cache.remove(what))),
            lease: self.config.lease,
        }
    }

    /// What this server keeps at this moment.
    pub(crate) fn stats(&self) -> NearCacheStats {
        NearCacheStats {
            size: self.size(),
            lease_left: self.config.lease.map(|_| self.cache.lease_left()),
        }
    }

    /// How long a copy may be served at the most, if this server hears nothing of the others.
    pub(crate) fn longest_life(&self) -> Duration {
        self.config.longest_life()
    }

    /// The entry, if there is a copy that may be served; `now` is the moment on the store's clock. It waits for nothing.
    pub fn lookup(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        self.cache.entry(at, now)
    }

    /// Drops copies, and has reads that are under way leave none: what an invalidation message asks for. When it returns, none of them can be
    /// served.
    pub fn forget(&self, what: &Invalidation) {
        self.cache.forget(what);
    }

    /// How many copies there are.
    pub fn size(&self) -> NearCacheSize {
        self.cache.size()
    }

    async fn shared_read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        let (account, cache) = (at.account(), &self.cache);
        let read = EntryRead {
            at: at.clone(),
            has_ticket_secret: at.secret().is_some(),
        };
        let send = |validity| {
            let (store, cache, at) = (Arc::clone(&self.store), Arc::clone(cache), at.clone());
            async move {
                let read = store.read(&at, options.for_near_cache()).await?;
                if let Some(entry) = &read {
                    cache.populate_entry(&at, entry, validity);
                }
                Ok(read)
            }
        };
        let may_serve = |validity| cache.may_serve(account, validity);
        let cached = |answered: &Result<Option<Entry>>| match answered {
            Ok(entry) => entry
                .as_ref()
                .is_some_and(|entry| !entry.is_expired(options.now)),
            Err(error) => !error.is_signed_out(),
        };
        let answered = self
            .entries
            .read(read, || cache.validity(account), may_serve, send, cached)
            .await;
        match answered {
            Err(error) if is_of_the_backplane(&error) => self.store.read(at, options).await,
            answered => answered,
        }
    }

    async fn shared_session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        let (key, cache) = ((*account, *session_id), &self.cache);
        let send = |validity| {
            let (store, cache) = (Arc::clone(&self.store), Arc::clone(cache));
            async move {
                let (account, session_id) = key;
                let record = store
                    .session(&account, &session_id, options.for_near_cache())
                    .await?;
                cache.populate_session(&account, &record, validity);
                Ok(record)
            }
        };
        let may_serve = |validity| cache.may_serve(account, validity);
        let cached = |answered: &Result<SessionRecord>| match answered {
            Ok(record) => !record.is_over(options.now),
            Err(error) => !error.is_signed_out(),
        };
        let answered = self
            .sessions
            .read(key, || cache.validity(account), may_serve, send, cached)
            .await;
        match answered {
            Err(error) if is_of_the_backplane(&error) => {
                self.store.session(account, session_id, options).await
            }
            answered => answered,
        }
    }

    /// Whether a read that is sent now may leave a copy.
    fn may_keep(&self, account: &AccountKey) -> bool {
        self.cache.may_serve(account, self.cache.validity(account))
    }

    /// What this server changes it holds no copies of, from before the change to after it, however it ends.
    pub(super) fn changing(&self, accounts: &[AccountKey]) -> Changing<'_> {
        Changing::of(&self.cache, Invalidation::Accounts(accounts.to_vec()))
    }
}

/// Whether the backplane may be to blame: each caller asks again by itself then, and keeps nothing.
fn is_of_the_backplane(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable
}

/// A change of this server's own, under way.
pub(super) struct Changing<'a> {
    cache: &'a LeasedCache,
    what: Invalidation,
}

impl<'a> Changing<'a> {
    fn of(cache: &'a LeasedCache, what: Invalidation) -> Self {
        cache.forget(&what);
        Self { cache, what }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.cache.forget(&self.what);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<S: TokenStore> TokenStore for NearCache<S> {
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
        let _changing = self.changing(&[*account]);
        self.store.begin(account, session).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        if let Some(record) = self.cache.session(account, session_id, options.now) {
            return Ok(record);
        }
        if self.may_keep(account) {
            self.shared_session(account, session_id, options).await
        } else {
            self.store.session(account, session_id, options).await
        }
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        if let Some(entry) = self.lookup(at, options.now) {
            return Ok(Some(entry));
        }
        if self.may_keep(at.account()) {
            self.shared_read(at, options).await
        } else {
            self.store.read(at, options).await
        }
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let _changing = self.changing(&[*at.account()]);
        self.store.write(at, entry, options).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        let _changing = self.changing(&[*at.account()]);
        self.store.remove(at).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let _changing = self.changing(&[*account]);
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
        self.store.refresh_locks().is_some().then_some(self as _)
    }

    fn sid_index(&self) -> Option<&dyn SidIndex> {
        self.store.sid_index().is_some().then_some(self as _)
    }

    fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
        self.store.background_sessions()
    }

    fn backplane(&self) -> Option<&dyn Backplane> {
        self.store.backplane()
    }
}

impl<S: TokenStore> fmt::Display for NearCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "local({})", self.store)
    }
}
