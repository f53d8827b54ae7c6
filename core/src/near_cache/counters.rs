use std::sync::atomic::{AtomicU32, Ordering};

use crate::AccountKey;

/// How many counters accounts share: a sign-out makes one copy in so many a miss.
const COUNTERS: usize = 4_096;

/// What the counters of an account said at some moment: a copy is good while they still say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidationCounter(u64);

/// Counters that rise with every invalidation, so that a read which an invalidation overtook leaves nothing that can be served.
#[derive(Debug)]
pub(super) struct InvalidationCounters {
    everything: AtomicU32,
    accounts: Box<[AtomicU32]>,
}

impl InvalidationCounters {
    pub(super) fn new() -> Self {
        Self::with_counters(COUNTERS)
    }

    /// Of so many counters, or the next power of two.
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

    /// The account's counter: its key is a hash already.
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
