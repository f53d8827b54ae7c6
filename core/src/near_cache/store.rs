use std::{sync::Arc, time::Duration};

use super::{
    BootTime, NearCacheConfig, NearCacheLease, NearCacheParts, NearCacheSize, NearCacheStats,
    Validity, config::NearCacheLimits, leased_cache::LeasedCache,
};
use crate::{
    AccountKey, Entry, EntryAddress, Invalidation, Result, SessionId, SessionRecord, Timestamp,
};

/// The near cache of an app server: entries and session records in this process's memory, which it serves while its [`NearCacheLease`]
/// allows that. It sends no request.
///
/// Apps do not create it: [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache) turns it on. A `NearCache` does not renew
/// the lease and does not receive invalidation messages. A caller that creates one must do that with its [`NearCacheLease`], and must call
/// [`forget`](Self::forget) for each invalidation. Otherwise, it can serve entries of ended sessions.
///
/// - A hit never returns an entry of a session that was signed out (G1).
/// - Each hit checks that the lease runs, that the entry has not reached its maximum age, and that no invalidation of the account arrived
///   since the entry's read was sent.
/// - Only existing entries and sessions are cached. Misses and ended sessions are always answered by the store.
/// - The bytes of an entry are wiped from memory when the entry is dropped. It is dropped when its account is signed out, when there is no
///   room for it, and within seconds of its maximum age.
#[derive(Debug)]
pub struct NearCache {
    cache: Arc<LeasedCache>,
    config: NearCacheLimits,
}

impl NearCache {
    /// Creates an empty near cache with the settings in `policy`, for a store with or without a [backplane](crate::Backplane). The near
    /// cache serves entries while `own_lease` allows that, and measures their age with `clock`. Apps call
    /// [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache) instead.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if a setting is out of its range. Also if the store has no backplane, and `policy` sets a lease
    /// or no maximum age.
    pub fn new(
        policy: NearCacheConfig,
        has_backplane: bool,
        own_lease: Arc<NearCacheLease>,
        clock: Arc<dyn BootTime>,
    ) -> Result<Self> {
        let config = policy.on_store(has_backplane)?;
        Ok(Self {
            cache: Arc::new(LeasedCache::new(&config, own_lease, clock)?),
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

    /// Returns the entry at `at`. Returns `None` if the near cache does not have it, or must not serve it: the read must then go to the
    /// store. `now` is the current time on the store's clock.
    pub fn entry(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry> {
        self.cache.entry(at, now)
    }

    /// Returns the record of a session, under the conditions of [`entry`](Self::entry).
    pub(crate) fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Option<SessionRecord> {
        self.cache.session(account, session_id, now)
    }

    /// Returns the validity of the result of a read of this account that is sent now.
    pub(crate) fn validity(&self, account: &AccountKey) -> Validity {
        self.cache.validity(account)
    }

    /// Returns whether the result of a read with this validity may be served now.
    pub(crate) fn may_serve(&self, account: &AccountKey, validity: Validity) -> bool {
        self.cache.may_serve(account, validity)
    }

    /// Returns whether a read of this account that is sent now may store its result.
    pub(crate) fn may_keep(&self, account: &AccountKey) -> bool {
        self.cache.may_serve(account, self.cache.validity(account))
    }

    /// Stores an entry that a read returned, if it may still be served. `validity` is from before the read was sent.
    pub(crate) fn keep_entry(&self, at: &EntryAddress, entry: &Entry, validity: Validity) {
        self.cache.populate_entry(at, entry, validity);
    }

    /// Stores a session's record that a read returned, as [`keep_entry`](Self::keep_entry) stores an entry.
    pub(crate) fn keep_session(
        &self,
        account: &AccountKey,
        record: &SessionRecord,
        validity: Validity,
    ) {
        self.cache.populate_session(account, record, validity);
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
}
