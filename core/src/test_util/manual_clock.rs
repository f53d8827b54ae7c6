use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{TimeSource, Timestamp};

/// A store's clock for tests, which moves only when the test moves it. Its clones are the same clock.
///
/// Pass it to [`MemoryStore::with_clock`](crate::MemoryStore::with_clock).
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Creates a clock that shows 1,700,000,000 seconds since 1970, a time in November 2023. It shows this time until the test moves it.
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000_000)))
    }

    /// Moves the clock forward by the duration `by`.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Sets the clock to `now`, forward or backward, as when the clock of a store's machine is corrected.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TimeSource for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
