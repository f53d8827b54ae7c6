use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use token_cache::TokenCache;
use token_cache_core::{
    AccountKey, BeginSession, Begun, Entry, EntryAddress, EvictOptions, EvictTarget, Evicted,
    Invalidation, PutResult, ReadOptions, Result, SessionId, SessionRecord, TokenCacheBuilder,
    TokenStore, WriteOptions, delegate_store, near_cache::BootInstant,
};
use token_cache_near_cache::{InvalidationCounter, NearCacheLease, NoNearCache};

use super::{
    Failure,
    broken_backplane::{self, now},
    misled,
};
use crate::fleet::Design;

/// Length of the leases that these near caches ignore.
pub(crate) const LEASE: Duration = Duration::from_millis(500);
/// Time after which every server of the fleet knows that one has a near cache.
const KNOWN_BY_ALL: Duration = Duration::from_millis(3_500);

/// A plausible but broken near cache, in a fleet whose sign-outs are correct. It tests that the checker finds what is wrong with it: see
/// [`Design`].
pub(super) struct BrokenNearCache {
    store: Arc<dyn TokenStore>,
    heeds_lease: bool,
    reads_counters_early: bool,
    own_lease: Arc<NearCacheLease>,
    serves_from: Mutex<Option<BootInstant>>,
    entries: CachedReads<EntryAddress, Entry>,
    sessions: CachedReads<(AccountKey, SessionId), SessionRecord>,
}

/// Near-cache entries with their invalidation counters.
struct CachedReads<K, V>(Mutex<HashMap<K, (V, InvalidationCounter)>>);

/// Opens a cache with such a near cache for the store at `url`.
pub(super) async fn open(url: &str, design: Design) -> std::result::Result<TokenCache, Failure> {
    let near_caches = Arc::new(BrokenNearCache {
        store: token_cache::open_store(url).await?,
        heeds_lease: design != Design::CachesWithoutLease,
        reads_counters_early: design != Design::CountersReadLate,
        own_lease: Arc::new(NearCacheLease::new()),
        serves_from: Mutex::default(),
        entries: CachedReads::default(),
        sessions: CachedReads::default(),
    });
    let store: Arc<dyn TokenStore> = Arc::clone(&near_caches) as _;
    let builder = TokenCacheBuilder::connecting(async move { Ok(store) }).near_cache(NoNearCache);
    let cache = builder.open().await?;
    near_caches.agree().await?;
    let backplane = (
        Arc::clone(&near_caches.store),
        Arc::clone(&near_caches.own_lease),
    );
    broken_backplane::keep(backplane.0, backplane.1, LEASE)?;
    Ok(cache)
}

impl BrokenNearCache {
    /// Records for the fleet that a server has a near cache.
    async fn agree(&self) -> std::result::Result<(), Failure> {
        loop {
            let known = self.store.namespace().await?.record;
            let Some(known) = known else {
                return Err(misled("the namespace has no record"));
            };
            let agreed = known.longest_near_cache_life >= LEASE;
            let wanted = known.with_near_cache(LEASE);
            if agreed || self.store.set_namespace(Some(&known), &wanted).await? {
                *lock(&self.serves_from) = Some(now() + KNOWN_BY_ALL);
                return Ok(());
            }
        }
    }

    fn serves(&self, account: &AccountKey, counter: InvalidationCounter) -> bool {
        let serves_from = *lock(&self.serves_from);
        if serves_from.is_none_or(|from| now() < from) {
            return false;
        }
        if self.heeds_lease {
            self.own_lease.may_serve(account, counter, now)
        } else {
            self.own_lease.counter(account) == counter
        }
    }

    /// Returns the near-cache entry, or what the store answers. Stores that answer as a near-cache entry.
    async fn through<K: Eq + Hash, V: Clone>(
        &self,
        cached: &CachedReads<K, V>,
        account: &AccountKey,
        key: K,
        ask: impl Future<Output = Result<Option<V>>>,
    ) -> Result<Option<V>> {
        let hit = cached.lock().get(&key).cloned();
        if let Some((value, counter)) = hit
            && self.serves(account, counter)
        {
            return Ok(Some(value));
        }
        let before = self.own_lease.counter(account);
        let answer = ask.await?;
        let counter = if self.reads_counters_early {
            before
        } else {
            self.own_lease.counter(account)
        };
        if let Some(value) = &answer {
            cached.lock().insert(key, (value.clone(), counter));
        }
        Ok(answer)
    }

    /// Makes a change, and invalidates the account before and after it, so that this server reads its own changes.
    async fn changing<T>(&self, account: &AccountKey, change: impl Future<Output = T>) -> T {
        let what = Invalidation::Accounts(vec![*account]);
        self.own_lease.invalidate(&what);
        let changed = change.await;
        self.own_lease.invalidate(&what);
        changed
    }
}

#[async_trait]
impl TokenStore for BrokenNearCache {
    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
        let begin = self.store.begin(account, session);
        self.changing(account, begin).await
    }

    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord> {
        let ask = async {
            let answer = self
                .store
                .session(account, session_id, options.for_near_cache());
            answer.await.map(Some)
        };
        let key = (*account, *session_id);
        match self.through(&self.sessions, account, key, ask).await? {
            Some(session) => Ok(session),
            None => self.store.session(account, session_id, options).await,
        }
    }

    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
        let ask = self.store.read(at, options.for_near_cache());
        self.through(&self.entries, at.account(), *at, ask).await
    }

    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult> {
        let write = self.store.write(at, entry, options);
        self.changing(at.account(), write).await
    }

    async fn remove(&self, at: &EntryAddress) -> Result<()> {
        self.changing(at.account(), self.store.remove(at)).await
    }

    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let evict = self.store.evict(account, target, options);
        self.changing(account, evict).await
    }

    delegate_store!(self => self.store; capabilities, diagnostics, namespace, set_namespace, sessions, clock, backplane);
}

delegate_store!(impl RefreshLocks, SidIndex, BackgroundSessions for BrokenNearCache => store);

impl<K, V> CachedReads<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, (V, InvalidationCounter)>> {
        lock(&self.0)
    }
}

impl<K, V> Default for CachedReads<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl fmt::Debug for BrokenNearCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrokenCopies")
    }
}

impl fmt::Display for BrokenNearCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
