use std::{fmt, time::Duration};

/// A moment of a [`BootTime`], in nanoseconds: what leases and ages are counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BootInstant(u64);

impl BootInstant {
    /// The moment so many nanoseconds after the clock's start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time since an earlier moment; zero where that is none.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for BootInstant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// A clock that never goes back and goes on while the machine sleeps.
pub trait BootTime: fmt::Debug + Send + Sync + 'static {
    /// This moment.
    fn now(&self) -> BootInstant;
}

/// The machine's: `CLOCK_BOOTTIME` on Linux, which counts suspension; elsewhere `CLOCK_MONOTONIC`.
///
/// No guest's clock counts the time for which a hypervisor froze the guest: keep near caches off where that happens.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemBootTime;

#[cfg(unix)]
impl BootTime for SystemBootTime {
    fn now(&self) -> BootInstant {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
        let rustix::time::Timespec { tv_sec, tv_nsec } = rustix::time::clock_gettime(CLOCK);
        let nanos = tv_sec
            .unsigned_abs()
            .saturating_mul(1_000_000_000)
            .saturating_add(tv_nsec.unsigned_abs());
        BootInstant::from_nanos(nanos)
    }
}

#[cfg(not(unix))]
impl BootTime for SystemBootTime {
    fn now(&self) -> BootInstant {
        use std::{sync::LazyLock, time::Instant};
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        BootInstant::default() + START.elapsed()
    }
}
