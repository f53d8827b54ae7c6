//! Time. It passes in ticks of half a lease. Every server's own clock runs at a rate of its own.

use std::time::Duration;

use token_cache_core::near_cache::BootInstant;

/// A hundredth of a tick, in nanoseconds. A tick is half a lease.
const HUNDREDTH_OF_A_TICK: u64 = 5_000_000;

/// Length of a lease.
pub(super) const LEASE: Duration = Duration::from_secs(1);

/// Maximum age of a near-cache entry if there is no backplane.
pub(super) const AGE: Duration = Duration::from_secs(1);

/// How long a server relies on what it has read in the namespace's record.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// A time in the world, in ticks.
pub(super) type Tick = u16;

/// A server's own clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// The time that it showed when the world began. It differs from clock to clock.
    start: Duration,
    /// How much it is too fast, in hundredths.
    rate: i32,
}

impl Clock {
    pub(super) fn new(server: usize, rate: i32) -> Self {
        let start = u32::try_from(server).unwrap_or_default() * 1_000 + 77;
        Self {
            start: Duration::from_secs(start.into()),
            rate,
        }
    }

    /// Returns the time that it shows at a tick.
    pub(super) fn at(self, tick: Tick) -> BootInstant {
        let hundredths = u64::try_from(100 + self.rate).unwrap_or(100);
        let passed = u64::from(tick) * hundredths * HUNDREDTH_OF_A_TICK;
        BootInstant::default() + self.start + Duration::from_nanos(passed)
    }
}

/// Returns how long another server's clock may take for this duration.
pub(super) fn with_drift(duration: Duration) -> Duration {
    duration + duration / 50 + Duration::from_millis(5)
}

/// Returns the duration that becomes this long with drift.
pub(super) fn without_drift(duration: Duration) -> Duration {
    duration.saturating_sub(Duration::from_millis(5)) * 50 / 51
}
