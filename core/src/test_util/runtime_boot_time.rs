use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::near_cache::{BootInstant, BootTime};

/// The runtime's clock, which a test may pause, as a machine's [`BootTime`]; it goes on by itself where the test says that the
/// machine slept. Its clones are the same clock.
#[derive(Debug, Clone)]
pub struct RuntimeBootTime {
    start: Instant,
    slept: Arc<AtomicU64>,
}

impl RuntimeBootTime {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            slept: Arc::default(),
        }
    }

    /// The machine slept for so long: the runtime's clock stood still.
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
        // No moment is the first: a lease that ran out at once has an end.
        BootInstant::from_nanos(1) + self.start.elapsed() + slept
    }
}
