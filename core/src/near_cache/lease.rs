use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    boot_time::BootInstant,
    counters::{InvalidationCounter, InvalidationCounters},
};
use crate::{AccountKey, Invalidation, RegistryId};

/// The number of a backplane connection of this server, from [`NearCacheLease::connecting`]. Later connections have greater numbers.
///
/// Events of an earlier connection are ignored by this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionNumber(u64);

/// An app server's right to serve its near-cache entries, as a state machine that does no I/O: the lease, and the invalidation counters.
///
/// A near-cache entry may be served while the lease runs and the entry's [`InvalidationCounter`] equals the present one of its account.
/// Both are checked at each hit. Each method is one atomic step. The model tests explore every order of these steps.
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
    /// Creates the state of a server without a lease, which serves no near-cache entry until a backplane connection has
    /// [renewed](Self::renewed) the lease.
    pub fn new() -> Self {
        Self::with_lease_until(0)
    }

    /// Creates the state of a server on a store without a backplane, where entries need no lease. They are served until their maximum age.
    ///
    /// A sign-out is final on such a store too (G1): it waits for the longest maximum age of all servers before it returns. Every server
    /// must therefore know that this one has a near cache. [`TokenCache`](crate::TokenCache) calls [`new`](Self::new) instead. When every
    /// server knows, it calls [`serve_until_resigned`](Self::serve_until_resigned).
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

    /// Returns the present invalidation counter of an account. The caller must call this before it sends the read whose result it stores,
    /// and must store the counter with the result.
    pub fn counter(&self, account: &AccountKey) -> InvalidationCounter {
        self.counters.of(account)
    }

    /// Returns `true` if a near-cache entry of `account` that was stored with `counter` may be served: the lease runs, and no invalidation
    /// of the account came since. The caller must also check the age of the entry.
    ///
    /// The method calls `now` last. So a server that was suspended during the check finds its lease expired.
    pub fn may_serve(
        &self,
        account: &AccountKey,
        counter: InvalidationCounter,
        now: impl FnOnce() -> BootInstant,
    ) -> bool {
        let lease_until = self.lease_until.load(Ordering::Acquire);
        self.counters.of(account) == counter && now().as_nanos() < lease_until
    }

    /// Returns the end of the lease, which may be in the past. Returns `None` if the server never had a lease or has given it up. On a
    /// store without a backplane, the end is the greatest instant while entries are served.
    pub fn lease_until(&self) -> Option<BootInstant> {
        match self.lease_until.load(Ordering::Acquire) {
            0 => None,
            nanos => Some(BootInstant::from_nanos(nanos)),
        }
    }

    /// Prepares for a new backplane connection. Call it before the request to the store, because invalidation messages can be received and
    /// acknowledged as soon as the server listens.
    ///
    /// Forgets the registry that was read on the earlier connection, and ends the lease: until the new connection is open, reads may go to
    /// any server of the store. Returns the number of the new connection, for [`connected`](Self::connected) and the later events.
    pub fn connecting(&self) -> ConnectionNumber {
        let mut known = self.known();
        known.connection += 1;
        known.registry = None;
        self.resign();
        ConnectionNumber(known.connection)
    }

    /// Records that the connection is open and the server receives invalidation messages. Raises all counters, so that no present
    /// near-cache entry is served any more: another server may have signed users out without knowing of this server's lease.
    ///
    /// Does nothing if `connection` is not the latest one.
    pub fn connected(&self, connection: ConnectionNumber) {
        let known = self.known();
        if known.connection == connection.0 {
            self.resign();
            self.counters.raise_all();
        }
    }

    /// Records that the store answered a renewal of the lease on this connection. The renewal was sent at `sent` and answered at
    /// `received`. The lease runs for the duration `lease` from `sent` on.
    ///
    /// If `registry` differs from the registry that was last seen on this connection, or is the first one, all counters rise: no present
    /// near-cache entry is served any more. Does nothing if `connection` is not the latest one.
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

    /// Records that the id of the registry was read on this connection at `received`, without a renewal. The counters rise as for
    /// [`renewed`](Self::renewed). Does nothing if `connection` is not the latest one.
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

    /// Raises the counters of the accounts in `what`, or all counters. So their present near-cache entries are not served any more.
    ///
    /// The invalidation comes from a message that was received, or from a change that this server makes itself.
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

    /// Returns the registry if this server has known it, on its present connection, for longer than `longest_lease`, the longest lease of
    /// the fleet. By then every lease of an earlier registry has expired. Returns `None` if the server has read no registry on this
    /// connection, or has not known it for that long.
    pub fn knows(&self, longest_lease: Duration, now: BootInstant) -> Option<RegistryId> {
        let (registry, since) = self.known().registry?;
        (now.since(since) >= with_drift(longest_lease)).then_some(registry)
    }

    /// Allows this server to serve near-cache entries without a lease, on a store without a backplane, until [`resign`](Self::resign) is
    /// called. Call it when every server knows that this one has a near cache. Only results of reads that are sent afterwards are served,
    /// until they expire by age.
    pub fn serve_until_resigned(&self) {
        self.counters.raise_all();
        self.lease_until.store(u64::MAX, Ordering::Release);
    }

    /// Gives up the lease. No near-cache entry is served until the next [`renewed`](Self::renewed) or
    /// [`serve_until_resigned`](Self::serve_until_resigned).
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
    /// Sets the number of counters that all accounts share: this number, or the next power of two.
    pub fn with_counters(mut self, counters: usize) -> Self {
        self.counters = InvalidationCounters::with_counters(counters);
        self
    }

    /// Returns a copy of the state, which changes independently of this one.
    pub fn fork(&self) -> Self {
        Self {
            counters: self.counters.clone(),
            lease_until: AtomicU64::new(self.lease_until.load(Ordering::Acquire)),
            known: Mutex::new(*self.known()),
        }
    }

    /// Returns the registry last seen on the present connection, and since when it has been known. Returns `None` if it was not read yet.
    pub fn seen_registry(&self) -> Option<(RegistryId, BootInstant)> {
        self.known().registry
    }
}

impl Default for NearCacheLease {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the longest time that `duration` on another server's clock may take on this one. The rates of two clocks differ by less than 2%.
pub(crate) fn with_drift(duration: Duration) -> Duration {
    duration + duration / 50 + Duration::from_millis(5)
}
