use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::near_cache::{BootInstant, BootTime};

/// A [`BootTime`] for tests: the clock that measures near-cache leases and the ages of near-cache entries. It follows the clock of the
/// tokio runtime, which the test may pause (`tokio::time::pause`). Its clones are the same clock.
///
/// Pass it to [`TokenCacheBuilder::boot_time`](crate::TokenCacheBuilder::boot_time).
#[derive(Debug, Clone)]
pub struct RuntimeBootTime {
    start: Instant,
    slept: Arc<AtomicU64>,
}

impl RuntimeBootTime {
    /// Creates a clock that starts now, and moves with the clock of the tokio runtime.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            slept: Arc::default(),
        }
    }

    /// Moves this clock forward by `duration`, as if the machine had slept while the clock of the runtime stood still.
    pub fn sleep(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.slept.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Default for RuntimeBootTime {
    fn default() -> Self {
        Self::new()
    }
}

impl BootTime for RuntimeBootTime {
    fn now(&self) -> BootInstant {
        let slept = Duration::from_nanos(self.slept.load(Ordering::SeqCst));
        // Starts at 1, since an end of the lease at 0 means that there is no lease.
        BootInstant::from_nanos(1) + self.start.elapsed() + slept
    }
}
