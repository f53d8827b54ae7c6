//! Time: it passes in ticks of half a lease, and every server's own clock goes at a rate of its own.

use std::time::Duration;

use token_cache_core::near_cache::BootInstant;

/// What passes at once.
const TICK: Duration = Duration::from_millis(500);

/// How long a lease lasts.
pub(super) const LEASE: Duration = Duration::from_secs(1);

/// How long a copy lives where there is no backplane.
pub(super) const AGE: Duration = Duration::from_secs(1);

/// For how long a server goes by what it has read in the namespace's record.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// A moment of the world.
pub(super) type Tick = u16;

/// A server's own clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// What it showed when the world began: no two show the same.
    start: Duration,
    /// How many hundredths it is too fast.
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

    /// What it shows then.
    pub(super) fn at(self, tick: Tick) -> BootInstant {
        let hundredths = u32::try_from(100 + self.rate).unwrap_or(100);
        BootInstant::default() + self.start + TICK * u32::from(tick) * hundredths / 100
    }
}

/// How long another server's clock may take for so much of its time.
pub(super) fn with_drift(duration: Duration) -> Duration {
    duration + duration / 50 + Duration::from_millis(5)
}

/// What is with drift as long as this.
pub(super) fn without_drift(duration: Duration) -> Duration {
    duration.saturating_sub(Duration::from_millis(5)) * 50 / 51
}
