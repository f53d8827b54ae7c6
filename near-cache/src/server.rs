use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, Entry, EntryAddress, Invalidation, NearCacheOutcome, Result, SessionId,
    SessionRecord, Timestamp, Wait,
    near_cache::{
        BootInstant, FleetMember, NearCache, NearCacheSettings, NearCacheStats, Validity,
    },
    protocol::StoreSignOut,
};

use crate::{
    NearCacheConfig, NearCacheLease, coordinator::InvalidationCoordinator,
    leased_cache::LeasedCache,
};

/// The setting of a server without a near cache, in a fleet in which other servers have one. Its sign-outs then wait for the
/// acknowledgements of these servers, which usually takes one message round trip. Without this setting, they wait for the longest life of a
/// near-cache entry.
///
/// `token_cache::open` and `token_cache::builder` use it for a URL without `near_cache`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// use token_cache::{MemoryStore, Secret, TokenCache, near_cache::NoNearCache};
///
/// let cache = TokenCache::builder(MemoryStore::new())
///     .secret(Secret::random()?)
///     .near_cache(NoNearCache)
///     .open()
///     .await?;
/// assert!(cache.near_cache().is_none());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "a setting without values")]
pub struct NoNearCache;

#[async_trait]
impl NearCacheSettings for NoNearCache {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn longest_life(&self, _: bool) -> Result<Duration> {
        Ok(Duration::ZERO)
    }

    async fn open(&self, member: FleetMember) -> Result<Arc<dyn NearCache>> {
        let own_lease = Arc::new(NearCacheLease::new());
        Ok(Arc::new(ServerNearCache {
            coordinator: InvalidationCoordinator::new(member, own_lease, None, None),
            entries: None,
        }))
    }
}

#[async_trait]
impl NearCacheSettings for NearCacheConfig {
    fn check(&self) -> Result<()> {
        self.checked().map(drop)
    }

    fn longest_life(&self, has_backplane: bool) -> Result<Duration> {
        Ok(self.on_store(has_backplane)?.longest_life())
    }

    async fn open(&self, member: FleetMember) -> Result<Arc<dyn NearCache>> {
        let near_cache = ServerNearCache::new(*self, member, Arc::default())?;
        near_cache.coordinator.check().await?;
        Ok(Arc::new(near_cache))
    }
}

#[cfg(feature = "test-util")]
impl NearCacheConfig {
    /// Creates a near cache that serves entries while `own_lease` allows that. It does not renew the lease and receives no invalidation
    /// message: the test does that.
    ///
    /// # Errors
    /// [`Misuse`](token_cache_core::ErrorKind::Misuse) if a setting is invalid for the store of `member`.
    pub fn under_lease(
        self,
        member: FleetMember,
        own_lease: Arc<NearCacheLease>,
    ) -> Result<Arc<dyn NearCache>> {
        Ok(Arc::new(ServerNearCache::new(self, member, own_lease)?))
    }
}

/// The near cache of a server, and its part in the invalidation protocol.
#[derive(Debug)]
struct ServerNearCache {
    coordinator: InvalidationCoordinator,
    /// `None` on a server that serves no near-cache entries.
    entries: Option<Entries>,
}

#[derive(Debug)]
struct Entries {
    cache: Arc<LeasedCache>,
    has_lease: bool,
}

impl ServerNearCache {
    fn new(
        config: NearCacheConfig,
        member: FleetMember,
        own_lease: Arc<NearCacheLease>,
    ) -> Result<Self> {
        let limits = config.on_store(member.store.backplane().is_some())?;
        let clock = Arc::clone(&member.clock);
        let cache = Arc::new(LeasedCache::new(&limits, Arc::clone(&own_lease), clock)?);
        let removing = Arc::clone(&cache);
        let forget = Box::new(move |what: &Invalidation| removing.remove(what));
        Ok(Self {
            coordinator: InvalidationCoordinator::new(
                member,
                own_lease,
                Some(forget),
                limits.lease,
            ),
            entries: Some(Entries {
                cache,
                has_lease: limits.lease.is_some(),
            }),
        })
    }

    fn cache(&self) -> Option<&Arc<LeasedCache>> {
        self.entries.as_ref().map(|entries| &entries.cache)
    }
}

#[async_trait]
impl NearCache for ServerNearCache {
    fn entry(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        self.cache()?.entry(at, now)
    }

    fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Option<SessionRecord> {
        self.cache()?.session(account, session_id, now)
    }

    fn validity(&self, account: &AccountKey) -> Validity {
        let never = Validity {
            counter: 0,
            expires_at: BootInstant::default(),
        };
        self.cache().map_or(never, |cache| cache.validity(account))
    }

    fn may_serve(&self, account: &AccountKey, validity: Validity) -> bool {
        self.cache()
            .is_some_and(|cache| cache.may_serve(account, validity))
    }

    fn keep_entry(&self, at: &EntryAddress, entry: &Entry, validity: Validity) {
        if let Some(cache) = self.cache() {
            cache.populate_entry(at, entry, validity);
        }
    }

    fn keep_session(&self, account: &AccountKey, record: &SessionRecord, validity: Validity) {
        if let Some(cache) = self.cache() {
            cache.populate_session(account, record, validity);
        }
    }

    fn forget(&self, what: &Invalidation) {
        if let Some(cache) = self.cache() {
            cache.forget(what);
        }
    }

    fn publish(&self, account: &AccountKey) {
        self.coordinator.publish(account);
    }

    fn start(&self) {
        self.coordinator.start();
    }

    async fn clear(
        &self,
        ended: &StoreSignOut,
        longest: Duration,
        wait: Wait,
    ) -> Result<NearCacheOutcome> {
        self.coordinator.clear(ended, longest, wait).await
    }

    async fn left(&self) {
        self.coordinator.left().await;
    }

    fn stats(&self) -> Option<NearCacheStats> {
        let Entries { cache, has_lease } = self.entries.as_ref()?;
        let lease_left = has_lease.then(|| cache.lease_left());
        Some(NearCacheStats::new(cache.size(), lease_left))
    }
}
