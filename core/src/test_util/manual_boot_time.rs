use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::near_cache::{BootInstant, BootTime};

/// A [`BootTime`] for tests: the clock that measures near-cache leases and the ages of near-cache entries. It moves only when the test
/// moves it. Its clones are the same clock.
///
/// Pass it to [`TokenCacheBuilder::boot_time`](crate::TokenCacheBuilder::boot_time).
#[derive(Debug, Clone)]
pub struct ManualBootTime(Arc<AtomicU64>);

impl ManualBootTime {
    /// Creates a clock that shows one hour since the start of the machine, until the test moves it.
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(3_600_000_000_000)))
    }

    /// Moves the clock forward by the duration `by`.
    pub fn advance(&self, by: Duration) {
        let now = self.now() + by;
        self.0.store(now.as_nanos(), Ordering::SeqCst);
    }
}

impl Default for ManualBootTime {
    fn default() -> Self {
        Self::new()
    }
}

impl BootTime for ManualBootTime {
    fn now(&self) -> BootInstant {
        BootInstant::from_nanos(self.0.load(Ordering::SeqCst))
    }
}
