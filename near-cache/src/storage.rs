use std::{
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use quick_cache::{OptionsBuilder, Weighter, sync::DefaultLifecycle};

use token_cache_core::{
    AccountKey, Error, ErrorKind, Invalidation, Result,
    near_cache::{BootInstant, NearCacheSize},
};

use crate::{
    config::NearCacheLimits,
    partition::{Partition, Populate, Scales, Tally},
};

/// The least bytes of a shard, if the limit allows more than one shard. The items of an account can take up to half a shard.
const SHARD: usize = 2 << 20;
const MAX_SHARDS: usize = 32;

/// The number of locks that all writes share.
const LOCKS: usize = 16;

/// The cache is `quick_cache`. A hit takes a fifth of the time of one in `moka` (BENCHMARKING.md). `quick_cache` drops a removed value at
/// once, while `moka` holds a removed token until its next maintenance run.
type Engine = quick_cache::sync::Cache<
    AccountKey,
    Arc<Partition>,
    ByWeight,
    BuildHasherDefault<Spread>,
    DefaultLifecycle<AccountKey, Arc<Partition>>,
>;

/// The bounded storage of the near cache. Removed items are dropped at once. Whether an item may be served is decided by the lease.
pub(super) struct CacheStorage {
    engine: Engine,
    scales: Scales,
    /// Locks for writes. A write checks the counter and inserts its item under the lock. A removal takes the same lock after the counter
    /// was raised, so it leaves nothing behind.
    populate: [Mutex<()>; LOCKS],
}

impl CacheStorage {
    pub(super) fn new(config: &NearCacheLimits) -> Result<Self> {
        let shards = 1 << (config.max_bytes / SHARD).clamp(1, MAX_SHARDS).ilog2();
        let capacity = (config.max_bytes / shards * shards) as u64;
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(config.max_entries)
            .weight_capacity(capacity)
            .build()
            .map_err(|refused| {
                Error::new(ErrorKind::Unexpected, "create the near cache").with_source(refused)
            })?;
        let engine = Engine::with_options(
            options,
            ByWeight,
            BuildHasherDefault::default(),
            DefaultLifecycle::default(),
        );
        let scales = Scales {
            lightest: capacity.div_ceil(config.max_entries as u64),
            most: engine.shard_capacity() / 2,
            tally: Arc::new(Tally::default()),
        };
        Ok(Self {
            engine,
            scales,
            populate: Default::default(),
        })
    }

    /// Returns the items of an account.
    pub(super) fn of(&self, account: &AccountKey) -> Option<Arc<Partition>> {
        self.engine.get(account)
    }

    /// Stores an item if it still may be served, and returns whether it did.
    pub(super) fn populate(
        &self,
        account: &AccountKey,
        populate: Populate,
        now: BootInstant,
        may_be_served: impl FnOnce() -> bool,
    ) -> bool {
        let _filling = locked(self.lock_of(account));
        if !may_be_served() {
            return false;
        }
        let before = self.engine.peek(account);
        let populated = Partition::with(before.as_deref(), populate, &self.scales, now);
        self.replace(account, populated)
    }

    /// Drops the items of an invalidation.
    pub(super) fn remove(&self, what: &Invalidation) {
        match what {
            Invalidation::Accounts(accounts) => accounts.iter().for_each(|a| self.remove_one(a)),
            Invalidation::Everything => {
                let _filling: [_; LOCKS] = std::array::from_fn(|at| locked(&self.populate[at]));
                self.engine.clear();
            }
        }
    }

    pub(super) fn remove_one(&self, account: &AccountKey) {
        let _filling = locked(self.lock_of(account));
        self.engine.remove(account);
    }

    /// Returns `Some` for each account with an item that is expired at `now`, and `None` for each other account.
    pub(super) fn expired_at(&self, now: BootInstant) -> impl Iterator<Item = Option<AccountKey>> {
        self.engine
            .iter()
            .map(move |(account, items)| (items.first_expiry() <= now).then_some(account))
    }

    /// Drops the items of an account that are expired at `now`.
    pub(super) fn remove_expired_of(&self, account: &AccountKey, now: BootInstant) {
        let _filling = locked(self.lock_of(account));
        if let Some(before) = self.engine.peek(account) {
            self.replace(account, before.without_expired(&self.scales, now));
        }
    }

    pub(super) fn size(&self) -> NearCacheSize {
        let (items, bytes) = self.scales.tally.size();
        NearCacheSize::new(self.engine.len(), items, bytes)
    }

    fn replace(&self, account: &AccountKey, items: Option<Partition>) -> bool {
        let Some(items) = items else {
            self.engine.remove(account);
            return false;
        };
        self.engine.insert(*account, Arc::new(items));
        true
    }

    fn lock_of(&self, account: &AccountKey) -> &Mutex<()> {
        let [first, ..] = account.subject();
        &self.populate[usize::from(*first) % LOCKS]
    }
}

impl fmt::Debug for CacheStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheStorage")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

fn locked(lock: &Mutex<()>) -> MutexGuard<'_, ()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<AccountKey, Arc<Partition>> for ByWeight {
    fn weight(&self, _: &AccountKey, items: &Arc<Partition>) -> u64 {
        items.weight()
    }
}

/// A hasher for keys that are keyed hashes already, which an outsider cannot choose.
#[derive(Default, Clone)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        if let Some((first, _)) = bytes.split_first_chunk() {
            self.0 = self.0.rotate_left(1) ^ u64::from_le_bytes(*first);
        }
    }

    /// Ignores the length prefix, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
