use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use token_cache_core::{TimeSource, Timestamp};

/// The machine's clock, which this suite can move forward. A harness of [`InProcess::with_clock`](crate::InProcess::with_clock) passes one
/// to each store that it creates, and the store reads its time from that clock. Clones share the same clock.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// Moves the clock and all its clones forward by `by`. The clock then continues to run. The harness calls it when a check lets time
    /// pass.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl TimeSource for TestClock {
    fn now(&self) -> Timestamp {
        let ahead = Duration::from_millis(self.0.load(Ordering::SeqCst));
        Timestamp::from_system_time(SystemTime::now()) + ahead
    }
}
