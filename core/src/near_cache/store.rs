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

/// A store with a near cache: it serves reads from this process's memory while its [`NearCacheLease`] allows that, and sends every other
/// call to the store inside.
///
/// Apps do not create it: [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache) puts one in front of the encrypting
/// store. A `NearCache` does not renew the lease and does not receive invalidation messages. A caller that creates one must do that with
/// its [`NearCacheLease`], and must call [`forget`](Self::forget) for each invalidation. Otherwise, reads can return entries of ended
/// sessions.
///
/// - A hit needs no request. It never returns an entry of a session that was signed out (G1).
/// - Each hit checks that the lease runs, that the entry has not reached its maximum age, and that no invalidation of the account arrived
///   since the entry's read was sent.
/// - Only existing entries and sessions are cached. Misses and ended sessions are always answered by the store.
/// - Concurrent reads of one entry share one request.
/// - A server reads its own writes at once. An unconditional put of another server is seen when its invalidation message arrives. Any other
///   write of another server is seen at the latest when the near-cache entry reaches its maximum age.
/// - The bytes of an entry are wiped from memory when the entry is dropped. It is dropped when its account is signed out, when there is no
///   room for it, and within seconds of its maximum age.
#[derive(Debug)]
pub struct NearCache<S> {
    pub(super) store: Arc<S>,
    cache: Arc<LeasedCache>,
    config: NearCacheLimits,
    entries: Reads<EntryRead, Option<Entry>>,
    sessions: Reads<(AccountKey, SessionId), SessionRecord>,
}

/// A read of an entry, with the session's ticket secret or without. A read without the secret must not share a read that has it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct EntryRead {
    at: EntryAddress,
    has_ticket_secret: bool,
}

impl<S: TokenStore> NearCache<S> {
    /// Creates a near cache in front of the store `inner`, with the settings in `policy`. The near cache serves entries while `own_lease`
    /// allows that, and measures their age with `clock`. Apps call [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache)
    /// instead.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if a setting is out of its range. Also if `inner` has no backplane, and `policy` sets a lease
    /// or no maximum age.
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
            entries: Reads::new(),
            sessions: Reads::new(),
            config,
        })
    }

    /// Returns the parts for an [`InvalidationCoordinator`](super::InvalidationCoordinator).
    pub(crate) fn parts(&self) -> NearCacheParts {
        let cache = Arc::clone(&self.cache);
        NearCacheParts {
            own_lease: Arc::clone(cache.own_lease()),
            forget: Some(Box::new(move |what| cache.remove(what))),
            lease: self.config.lease,
        }
    }

    /// Returns the size of the near cache and the rest of the lease.
    pub(crate) fn stats(&self) -> NearCacheStats {
        NearCacheStats {
            size: self.size(),
            lease_left: self.config.lease.map(|_| self.cache.lease_left()),
        }
    }

    /// Returns the longest time for which an entry may be served without contact to other servers.
    pub(crate) fn longest_life(&self) -> Duration {
        self.config.longest_life()
    }

    /// Returns the entry at `at` from the near cache, without a request. [`TokenStore::read`] calls it first. Returns `None` if the near
    /// cache does not have the entry, or must not serve it: the read must then go to the store. `now` is the current time on the store's
    /// clock.
    pub fn lookup(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        self.cache.entry(at, now)
    }

    /// Drops the near-cache entries that `what` names. The code that receives this server's [invalidation
    /// messages](crate::InvalidationMessage) must call it for each of them. Otherwise, the near cache can serve ended sessions.
    ///
    /// When the method returns, none of these entries can be served. Reads of the same accounts that are in progress do not store their
    /// results.
    pub fn forget(&self, what: &Invalidation) {
        self.cache.forget(what);
    }

    /// Returns the number of accounts and of items in the near cache, and the bytes of the items.
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

    /// Returns whether a read that is sent now may store its result.
    fn may_keep(&self, account: &AccountKey) -> bool {
        self.cache.may_serve(account, self.cache.validity(account))
    }

    /// Drops the entries of accounts that this server changes, before the change and again after it, however the change ends.
    pub(super) fn changing(&self, accounts: &[AccountKey]) -> Changing<'_> {
        Changing::of(&self.cache, Invalidation::Accounts(accounts.to_vec()))
    }
}

/// Returns whether the backplane connection may be the cause of an error. Then each caller sends its own read, not for the near cache, and
/// stores nothing.
fn is_of_the_backplane(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable
}

/// A change in progress that this server makes itself.
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
        write!(f, "near-cache({})", self.store)
    }
}
