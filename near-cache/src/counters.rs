use std::sync::atomic::{AtomicU32, Ordering};

use token_cache_core::AccountKey;

/// The number of counters that all accounts share. A sign-out makes about one in this many other entries a miss.
const COUNTERS: usize = 4_096;

/// The value of an account's invalidation counter at one time. Each [`Invalidation`](token_cache_core::Invalidation) of the account's near-cache
/// entries raises the counter. [`NearCacheLease::counter`](super::NearCacheLease::counter) returns the present value. Apps do not need it.
///
/// The near cache stores the value with each result of a read. It may serve the result only while the account's counter still has that
/// value. Several accounts can share a counter: an invalidation of one then also affects the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidationCounter(pub(crate) u64);

/// The counters that rise with every invalidation. If an invalidation arrives during a read, the entry that the read stores cannot be
/// served.
#[derive(Debug)]
pub(super) struct InvalidationCounters {
    everything: AtomicU32,
    accounts: Box<[AtomicU32]>,
}

impl InvalidationCounters {
    pub(super) fn new() -> Self {
        Self::with_counters(COUNTERS)
    }

    /// Returns this many counters, or the next power of two.
    pub(super) fn with_counters(counters: usize) -> Self {
        let counters = counters.next_power_of_two();
        Self {
            everything: AtomicU32::new(0),
            accounts: (0..counters).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    pub(super) fn of(&self, account: &AccountKey) -> InvalidationCounter {
        let everything = self.everything.load(Ordering::Acquire);
        let account = self.accounts[self.counter(account)].load(Ordering::Acquire);
        InvalidationCounter((u64::from(everything) << 32) | u64::from(account))
    }

    pub(super) fn raise(&self, account: &AccountKey) {
        self.accounts[self.counter(account)].fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn raise_all(&self) {
        self.everything.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns the index of the account's counter. The account key is a hash already.
    fn counter(&self, account: &AccountKey) -> usize {
        let [high, low, ..] = account.subject();
        usize::from(u16::from_be_bytes([*high, *low])) & (self.accounts.len() - 1)
    }
}

#[cfg(feature = "test-util")]
impl Clone for InvalidationCounters {
    fn clone(&self) -> Self {
        let copy = |counter: &AtomicU32| AtomicU32::new(counter.load(Ordering::Acquire));
        Self {
            everything: copy(&self.everything),
            accounts: self.accounts.iter().map(copy).collect(),
        }
    }
}
