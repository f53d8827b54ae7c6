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

/// Which connection of this server's backplane connection: the later, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionNumber(u64);

/// A server's right to serve the copies that it holds: its counters and its lease. It does no I/O.
///
/// A copy is served while its [`InvalidationCounter`] is that of its account and the lease runs, both asked at each hit. Each method is one atomic
/// step; the model explores every order of them.
#[derive(Debug)]
pub struct NearCacheLease {
    counters: InvalidationCounters,
    /// Nanoseconds; zero where there is no lease.
    lease_until: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    connection: u64,
    registry: Option<(RegistryId, BootInstant)>,
}

impl NearCacheLease {
    /// A server without a lease.
    pub fn new() -> Self {
        Self::with_lease_until(0)
    }

    /// A server of a store without a backplane: its copies die of age alone.
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

    /// What a copy is stamped with: taken before the read that fills it is sent.
    pub fn counter(&self, account: &AccountKey) -> InvalidationCounter {
        self.counters.of(account)
    }

    /// Whether a copy with this stamp may be served: nothing was published since, and the lease runs. `now` is asked for last, so
    /// that a server which was suspended in between finds its lease run out.
    pub fn may_serve(
        &self,
        account: &AccountKey,
        counter: InvalidationCounter,
        now: impl FnOnce() -> BootInstant,
    ) -> bool {
        let lease_until = self.lease_until.load(Ordering::Acquire);
        self.counters.of(account) == counter && now().as_nanos() < lease_until
    }

    /// The end of the lease; none where there is none.
    pub fn lease_until(&self) -> Option<BootInstant> {
        match self.lease_until.load(Ordering::Acquire) {
            0 => None,
            nanos => Some(BootInstant::from_nanos(nanos)),
        }
    }

    /// The backplane is about to be opened, or opened anew. Asked before the store is: invalidation messages may be heard, and acknowledged, as
    /// soon as the server listens, and what it knew of the registry it knew on another connection. It has no lease from now on: what
    /// it reads meanwhile it reads from who knows which server.
    pub fn connecting(&self) -> ConnectionNumber {
        let mut known = self.known();
        known.connection += 1;
        known.registry = None;
        self.resign();
        ConnectionNumber(known.connection)
    }

    /// The backplane was opened, and the server listens: whatever it holds may have been published meanwhile, by a server that knows
    /// nothing of its lease.
    pub fn connected(&self, connection: ConnectionNumber) {
        let known = self.known();
        if known.connection == connection.0 {
            self.resign();
            self.counters.raise_all();
        }
    }

    /// A renewal on this connection was answered: the lease runs from the moment it was sent.
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

    /// The registry's id was read on this connection.
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

    /// An invalidation message has come, or this server itself has changed what it may hold copies of.
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

    /// The registry that this server has known, on the connection it has, for longer than any lease of the fleet: whoever got a
    /// lease by another has none any more.
    pub fn knows(&self, longest_lease: Duration, now: BootInstant) -> Option<RegistryId> {
        let (registry, since) = self.known().registry?;
        (now.since(since) >= with_drift(longest_lease)).then_some(registry)
    }

    /// For a store without a backplane, when every server knows that this one keeps copies: what is read from now on is served until it
    /// dies of age.
    pub fn serve_until_resigned(&self) {
        self.counters.raise_all();
        self.lease_until.store(u64::MAX, Ordering::Release);
    }

    /// Gives the lease up.
    pub fn resign(&self) {
        self.lease_until.store(0, Ordering::Release);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the model, which tries what may come next from one and the same state.
#[cfg(feature = "test-util")]
impl NearCacheLease {
    /// One whose accounts share so many counters.
    pub fn with_counters(mut self, counters: usize) -> Self {
        self.counters = InvalidationCounters::with_counters(counters);
        self
    }

    /// Another in the same state.
    pub fn fork(&self) -> Self {
        Self {
            counters: self.counters.clone(),
            lease_until: AtomicU64::new(self.lease_until.load(Ordering::Acquire)),
            known: Mutex::new(*self.known()),
        }
    }

    /// The registry that this server has last heard of on its connection, and since when.
    pub fn seen_registry(&self) -> Option<(RegistryId, BootInstant)> {
        self.known().registry
    }
}

impl Default for NearCacheLease {
    fn default() -> Self {
        Self::new()
    }
}

/// How long another server's clock may take for so much of its time: two clocks part by less than a fiftieth.
pub(crate) fn with_drift(duration: Duration) -> Duration {
    duration + duration / 50 + Duration::from_millis(5)
}
