use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use token_cache_core::{
    AccountKey, Entry, EntryAddress, Invalidation, Result, SessionId, SessionRecord, Timestamp,
    near_cache::{BootInstant, BootTime, NearCacheSize, Validity},
};

use crate::{
    config::NearCacheLimits,
    counters::InvalidationCounter,
    lease::NearCacheLease,
    partition::{CachedEntry, CachedSession, Populate},
    storage::CacheStorage,
    telemetry::{self, NearCacheRead},
};

/// The interval at which expired entries are removed.
const PERIOD: Duration = Duration::from_secs(1);

/// The number of accounts that are checked before the task yields to other tasks.
const AT_ONCE: usize = 1_024;

/// The entries of the near cache, and the lease under which they are served.
#[derive(Debug)]
pub(super) struct LeasedCache {
    storage: CacheStorage,
    own_lease: Arc<NearCacheLease>,
    clock: Arc<dyn BootTime>,
    max_age: Duration,
    sweeps: AtomicBool,
}

impl LeasedCache {
    pub(super) fn new(
        config: &NearCacheLimits,
        own_lease: Arc<NearCacheLease>,
        clock: Arc<dyn BootTime>,
    ) -> Result<Self> {
        Ok(Self {
            storage: CacheStorage::new(config)?,
            own_lease,
            clock,
            max_age: config.max_age,
            sweeps: AtomicBool::new(false),
        })
    }

    pub(super) fn entry(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        let found = self.look_for_entry(at, now);
        telemetry::near_cache_read(read_of(&found));
        found.ok()
    }

    pub(super) fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Option<SessionRecord> {
        let found = self.look_for_session(account, session_id, now);
        telemetry::near_cache_read(read_of(&found));
        found.ok()
    }

    fn look_for_entry(&self, at: &EntryAddress, now: Timestamp) -> Result<Entry, Absent> {
        let partition = self.storage.of(at.account()).ok_or(Absent::Missing)?;
        let copy = partition.entry(at).ok_or(Absent::Missing)?;
        let session = partition.session(at.session_id());
        let is_over = session.is_some_and(|session| session.record.is_over(now));
        if is_over || copy.entry.is_expired(now) {
            return Err(Absent::Stale);
        }
        let entry = copy.entry.clone();
        self.if_it_may_serve(at.account(), copy.validity, entry)
    }

    fn look_for_session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Result<SessionRecord, Absent> {
        let partition = self.storage.of(account).ok_or(Absent::Missing)?;
        let copy = partition.session(session_id).ok_or(Absent::Missing)?;
        if copy.record.is_over(now) {
            return Err(Absent::Stale);
        }
        let record = copy.record.clone();
        self.if_it_may_serve(account, copy.validity, record)
    }

    /// Returns the copied value if it may be served. The check comes last, so that nothing can change between it and the answer.
    fn if_it_may_serve<T>(
        &self,
        account: &AccountKey,
        validity: Validity,
        copy: T,
    ) -> Result<T, Absent> {
        if self.may_serve(account, validity) {
            Ok(copy)
        } else {
            Err(Absent::Stale)
        }
    }

    /// Returns the validity of what a read of this account returns if it is sent now.
    pub(super) fn validity(&self, account: &AccountKey) -> Validity {
        Validity {
            counter: self.own_lease.counter(account).0,
            expires_at: self.clock.now() + self.max_age,
        }
    }

    /// Returns whether an entry with this validity may be served. The clock is read last, so that a server that was suspended before finds
    /// its lease expired.
    pub(super) fn may_serve(&self, account: &AccountKey, validity: Validity) -> bool {
        let mut now = BootInstant::default();
        let asked = || {
            now = self.clock.now();
            now
        };
        let counter = InvalidationCounter(validity.counter);
        self.own_lease.may_serve(account, counter, asked) && now < validity.expires_at
    }

    pub(super) fn populate_entry(
        self: &Arc<Self>,
        at: &EntryAddress,
        entry: &Entry,
        validity: Validity,
    ) {
        let copy = CachedEntry {
            session_id: *at.session_id(),
            name: *at.name(),
            entry: entry.clone(),
            validity,
        };
        self.populate(at.account(), Populate::Entry(copy));
    }

    pub(super) fn populate_session(
        self: &Arc<Self>,
        account: &AccountKey,
        record: &SessionRecord,
        validity: Validity,
    ) {
        let record = record.clone();
        self.populate(
            account,
            Populate::Session(CachedSession { record, validity }),
        );
    }

    fn populate(self: &Arc<Self>, account: &AccountKey, populate: Populate) {
        let (validity, now) = (populate.validity(), self.clock.now());
        let may_be_served = || self.may_serve(account, validity);
        if self.storage.populate(account, populate, now, may_be_served) {
            telemetry::near_cache_populated();
            self.sweep();
        }
    }

    /// Removes entries, and invalidates what the reads in flight would store.
    pub(super) fn forget(&self, what: &Invalidation) {
        self.own_lease.invalidate(what);
        self.remove(what);
    }

    /// Removes entries after the counters of the lease were raised.
    pub(super) fn remove(&self, what: &Invalidation) {
        self.storage.remove(what);
    }

    pub(super) fn lease_left(&self) -> Duration {
        let until = self.own_lease.lease_until().unwrap_or_default();
        until.since(self.clock.now())
    }

    pub(super) fn size(&self) -> NearCacheSize {
        self.storage.size()
    }

    /// Starts a task on this runtime that removes expired entries for as long as the store exists. So a token is wiped within seconds of
    /// its expiry, even if it is never read again.
    fn sweep(self: &Arc<Self>) {
        if self.sweeps.load(Ordering::Relaxed) || self.sweeps.swap(true, Ordering::AcqRel) {
            return;
        }
        let sweeping = Sweeping(Arc::downgrade(self));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PERIOD).await;
                let Some(cache) = sweeping.0.upgrade() else {
                    return;
                };
                cache.remove_expired().await;
            }
        });
    }

    async fn remove_expired(&self) {
        let now = self.clock.now();
        for (looked_at, dead) in self.storage.expired_at(now).enumerate() {
            if let Some(account) = dead {
                self.storage.remove_expired_of(&account, now);
            }
            if looked_at % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        telemetry::near_cache_size(|| {
            let size = self.size();
            (size.items, size.bytes)
        });
    }
}

/// The state of the sweep task.
struct Sweeping(std::sync::Weak<LeasedCache>);

impl Drop for Sweeping {
    /// Allows another task to start. The runtime of this one may have ended while the store is used in another.
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.sweeps.store(false, Ordering::Release);
        }
    }
}

/// Why a read is not a hit.
enum Absent {
    Missing,
    /// There is an entry that may not be served.
    Stale,
}

fn read_of<T>(found: &Result<T, Absent>) -> NearCacheRead {
    match found {
        Ok(_) => NearCacheRead::Hit,
        Err(Absent::Missing) => NearCacheRead::Miss,
        Err(Absent::Stale) => NearCacheRead::Stale,
    }
}
