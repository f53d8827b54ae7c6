//! The clock that all processes of a run share.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A reading of the machine's monotonic clock, in nanoseconds. Readings of different processes on one machine can be compared.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Tick(pub u64);

impl Tick {
    /// A time later than every reading.
    pub const NEVER: Self = Self(u64::MAX);

    /// Returns the current reading.
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::Monotonic);
        Self(time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned())
    }

    /// Returns the reading in milliseconds. The harness's provider uses it as its clock, with one millisecond for one second.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Returns the time since `earlier`, or `None` if that is not earlier.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let nanos = self.0.checked_sub(earlier.0)?;
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// Returns this reading plus `millis`.
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000_000)))
    }
}
