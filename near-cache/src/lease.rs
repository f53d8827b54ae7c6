use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use token_cache_core::{
    AccountKey, Invalidation, RegistryId,
    near_cache::{BootInstant, with_drift},
};

use crate::counters::{InvalidationCounter, InvalidationCounters};

/// The number of one [backplane connection](token_cache_core::BackplaneConnection) of this app server. [`NearCacheLease::connecting`] returns it. The
/// caller passes it to [`connected`](NearCacheLease::connected), [`renewed`](NearCacheLease::renewed) and [`saw`](NearCacheLease::saw),
/// which report events of that connection.
///
/// A later connection has a greater number. By the number, [`NearCacheLease`] ignores the events of an earlier connection. Apps do not need
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionNumber(u64);

/// The near-cache lease of an app server, and its invalidation counters. The lease is the server's right to serve near-cache entries. The
/// type is a state machine that does no I/O.
///
/// A near-cache entry may be served while the lease runs and the [`InvalidationCounter`] that is stored with the entry equals the present
/// one of its account. [`may_serve`](Self::may_serve) checks both at each hit.
///
/// A [`TokenCache`](token_cache_core::TokenCache) creates it and reports to it the events of its [backplane connection](token_cache_core::BackplaneConnection).
/// Apps do not need it. Every method is one atomic step, and can be called from several threads.
#[derive(Debug)]
pub struct NearCacheLease {
    counters: InvalidationCounters,
    /// The end of the lease in nanoseconds. Zero means no lease.
    lease_until: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    connection: u64,
    registry: Option<(RegistryId, BootInstant)>,
}

impl NearCacheLease {
    /// Creates the state of a server that has no lease yet, and serves no near-cache entry. The server serves entries after
    /// [`renewed`](Self::renewed) or, on a store without a [`Backplane`](token_cache_core::Backplane), after
    /// [`serve_until_resigned`](Self::serve_until_resigned).
    pub fn new() -> Self {
        Self::with_lease_until(0)
    }

    /// Creates the state of a server on a store without a [`Backplane`](token_cache_core::Backplane). No lease is needed there: near-cache entries are
    /// served until their maximum age.
    ///
    /// A sign-out is final on such a store too (G1): it waits for the longest maximum age of any server. The caller must make sure that
    /// every server knows that this one has a near cache. Otherwise, a sign-out does not wait, and this server can serve ended sessions.
    /// Tests call this function. A [`TokenCache`](token_cache_core::TokenCache) calls [`new`](Self::new) instead, and
    /// [`serve_until_resigned`](Self::serve_until_resigned) when every server knows of its near cache.
    pub fn without_backplane() -> Self {
        Self::with_lease_until(u64::MAX)
    }

    fn with_lease_until(lease_until: u64) -> Self {
        Self {
            counters: InvalidationCounters::new(),
            lease_until: AtomicU64::new(lease_until),
            known: Mutex::default(),
        }
    }

    /// Returns the present invalidation counter of an account. A near cache calls it before it sends the request of a
    /// read, and stores the counter with the result of the read.
    pub fn counter(&self, account: &AccountKey) -> InvalidationCounter {
        self.counters.of(account)
    }

    /// Returns `true` if a near-cache entry of `account` may be served now: the lease runs, and no invalidation of the account arrived
    /// since `counter` was read. Returns `false` otherwise, so that the read goes to the store. `counter` is the counter that is stored
    /// with the entry. The caller must also check the age of the entry, which this type does not know.
    ///
    /// `now` returns the current time of the server's [`BootTime`](token_cache_core::near_cache::BootTime) clock. It is called after the counter was compared, so
    /// that a server that was suspended in between finds its lease expired.
    pub fn may_serve(
        &self,
        account: &AccountKey,
        counter: InvalidationCounter,
        now: impl FnOnce() -> BootInstant,
    ) -> bool {
        let lease_until = self.lease_until.load(Ordering::Acquire);
        self.counters.of(account) == counter && now().as_nanos() < lease_until
    }

    /// Returns the time at which the lease of this app server ends, which may have passed. Returns `None` if the server has no lease: it
    /// never had one, or has given it up.
    ///
    /// On a store without a [`Backplane`](token_cache_core::Backplane), the result is the greatest possible time while entries are served.
    pub fn lease_until(&self) -> Option<BootInstant> {
        match self.lease_until.load(Ordering::Acquire) {
            0 => None,
            nanos => Some(BootInstant::from_nanos(nanos)),
        }
    }

    /// Prepares for a new [backplane connection](token_cache_core::BackplaneConnection), and returns its number, for [`connected`](Self::connected),
    /// [`renewed`](Self::renewed) and [`saw`](Self::saw). A [`TokenCache`](token_cache_core::TokenCache) calls it before the request that opens the
    /// connection.
    ///
    /// The method ends the lease: no near-cache entry is served until the new connection has [renewed](Self::renewed) it. It also forgets
    /// the [`RegistryId`], by which the cache recognizes the store's list of leases. [`saw`](Self::saw) sets it again: if the
    /// store lost the list in the meantime, the new list has another id.
    pub fn connecting(&self) -> ConnectionNumber {
        let mut known = self.known();
        known.connection += 1;
        known.registry = None;
        self.resign();
        ConnectionNumber(known.connection)
    }

    /// Records that the [backplane connection](token_cache_core::BackplaneConnection) with the number `connection` is open, and that the server now
    /// receives invalidation messages. The lease ends, until the connection [renews](Self::renewed) it. All invalidation counters rise, so
    /// that no present near-cache entry is served any more: an invalidation message may have been missed before.
    ///
    /// Does nothing if `connection` is not the latest connection.
    pub fn connected(&self, connection: ConnectionNumber) {
        let known = self.known();
        if known.connection == connection.0 {
            self.resign();
            self.counters.raise_all();
        }
    }

    /// Records that the store has renewed the lease over the connection with the number `connection`. The request was sent at `sent`, and
    /// answered at `received` with the id `registry` of the [registry of near-cache leases](RegistryId). The lease then runs for the
    /// duration `lease`, counted from `sent`, unless it runs for longer already. `sent` must be a time before the request: with a later
    /// one, the server could serve ended sessions after a sign-out has returned.
    ///
    /// If `registry` is another id than this connection saw last, or the first one, all invalidation counters rise: no present near-cache
    /// entry is served any more. Does nothing if `connection` is not the latest connection.
    pub fn renewed(
        &self,
        connection: ConnectionNumber,
        registry: RegistryId,
        lease: Duration,
        sent: BootInstant,
        received: BootInstant,
    ) {
        let mut known = self.known();
        if known.connection != connection.0 {
            return;
        }
        self.learn(&mut known, registry, received);
        let until = (sent + lease).as_nanos();
        self.lease_until.fetch_max(until, Ordering::AcqRel);
    }

    /// Records that the connection with the number `connection` has read the id `registry` of the [registry of near-cache
    /// leases](RegistryId), without renewing the lease. The store's answer was received at `received`.
    ///
    /// If `registry` is another id than this connection saw last, or the first one, all invalidation counters rise, as for
    /// [`renewed`](Self::renewed). Does nothing if `connection` is not the latest connection.
    pub fn saw(&self, connection: ConnectionNumber, registry: RegistryId, received: BootInstant) {
        let mut known = self.known();
        if known.connection == connection.0 {
            self.learn(&mut known, registry, received);
        }
    }

    fn learn(&self, known: &mut Known, registry: RegistryId, received: BootInstant) {
        if known.registry.is_none_or(|(before, _)| before != registry) {
            self.counters.raise_all();
            known.registry = Some((registry, received));
        }
    }

    /// Raises the invalidation counters of the accounts in `what`, or all counters for [`Invalidation::Everything`]. The near-cache entries
    /// that are stored with the earlier values are not served any more.
    ///
    /// The caller must call it for each invalidation message that is received, and for each change of an account's sessions or entries that
    /// this server makes itself. Otherwise, the server can serve ended sessions and earlier values.
    pub fn invalidate(&self, what: &Invalidation) {
        match what {
            Invalidation::Accounts(accounts) => {
                for account in accounts {
                    self.counters.raise(account);
                }
            }
            Invalidation::Everything => self.counters.raise_all(),
        }
    }

    /// Returns the id of the [registry of near-cache leases](RegistryId) if this server has known it for longer than `longest_lease`, on
    /// its present backplane connection. Every lease that an earlier registry listed has then expired. Pass the longest lease of any server
    /// as `longest_lease`, and the current time as `now`. The result is for an [`Acknowledgement`](token_cache_core::Acknowledgement), and for
    /// [`AckWait::new`](crate::AckWait::new).
    ///
    /// Returns `None` if the server has read no registry on this connection, or has not known it for that long.
    pub fn knows(&self, longest_lease: Duration, now: BootInstant) -> Option<RegistryId> {
        let (registry, since) = self.known().registry?;
        (now.since(since) >= with_drift(longest_lease)).then_some(registry)
    }

    /// Allows this server to serve near-cache entries without a lease, on a store without a [`Backplane`](token_cache_core::Backplane), until
    /// [`resign`](Self::resign) is called. Call it when every server knows that this one has a near cache. Before that, a sign-out does not
    /// wait for its entries, and the server could serve ended sessions.
    ///
    /// Only the results of reads that are sent afterwards are served, until their maximum age.
    pub fn serve_until_resigned(&self) {
        self.counters.raise_all();
        self.lease_until.store(u64::MAX, Ordering::Release);
    }

    /// Gives up the lease, which is the right to serve near-cache entries. Reads then go to the store, until the next call of
    /// [`renewed`](Self::renewed) or [`serve_until_resigned`](Self::serve_until_resigned). A [`TokenCache`](token_cache_core::TokenCache) calls it
    /// when its [backplane connection](token_cache_core::BackplaneConnection) is lost, and when the app [releases the
    /// lease](token_cache_core::TokenCache::release_lease).
    pub fn resign(&self) {
        self.lease_until.store(0, Ordering::Release);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the model, which explores every next step from the same state.
#[cfg(feature = "test-util")]
impl NearCacheLease {
    /// Replaces the invalidation counters by new ones: `counters` of them, rounded up to a power of two. All accounts share them: with
    /// fewer counters, an invalidation affects more accounts. Tests call it, so that accounts share a counter or that the state is small.
    pub fn with_counters(mut self, counters: usize) -> Self {
        self.counters = InvalidationCounters::with_counters(counters);
        self
    }

    /// Returns a copy of this state machine, which changes independently of this one. Tests call it to explore every next step from the
    /// same state.
    pub fn fork(&self) -> Self {
        Self {
            counters: self.counters.clone(),
            lease_until: AtomicU64::new(self.lease_until.load(Ordering::Acquire)),
            known: Mutex::new(*self.known()),
        }
    }

    /// Returns the id of the [registry of near-cache leases](RegistryId) that the present connection saw last, and the time since which
    /// this id has been known. Returns `None` if this connection has read no id yet. Tests call it.
    pub fn seen_registry(&self) -> Option<(RegistryId, BootInstant)> {
        self.known().registry
    }
}

impl Default for NearCacheLease {
    fn default() -> Self {
        Self::new()
    }
}
