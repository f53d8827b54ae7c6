use std::{fmt, time::Duration};

/// A time on a [`BootTime`] clock, in nanoseconds since the start of that clock. [`BootTime::now`] returns it.
///
/// The near cache measures leases and the ages of its entries with it. Times of two servers cannot be compared, because each server has its
/// own clock. Apps do not need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BootInstant(u64);

impl BootInstant {
    /// Creates the time that is `nanos` nanoseconds after the start of a [`BootTime`] clock. Implementations of [`BootTime::now`] call it.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the number of nanoseconds from the start of the [`BootTime`] clock to this time.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the duration from `earlier` to `self`, or zero if `earlier` is later than `self`. Both must come from the same clock:
    /// otherwise, the result is meaningless.
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

/// A monotonic clock that continues while the machine sleeps. The near cache measures leases and the ages of its entries with it. With a
/// clock that stops, a lease would last too long, and the server could serve ended sessions.
///
/// An app uses [`SystemBootTime`], and need not implement this trait. Tests implement it with a clock that they set.
pub trait BootTime: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time of the clock. An implementation must never return an earlier time than before: a lease that has ended could
    /// run again, and the server could serve ended sessions. The near cache calls it at each hit.
    fn now(&self) -> BootInstant;
}

/// The machine's own clock as a [`BootTime`], which a [`TokenCache`](crate::TokenCache) uses by default: `CLOCK_BOOTTIME` on Linux and
/// Android, which continues while the machine sleeps. On other systems it is a monotonic clock, which may stop while the machine sleeps.
///
/// If a hypervisor freezes a virtual machine, no clock of that machine counts the frozen time. Do not use a near cache on machines that can
/// be frozen: after a freeze, the server could serve ended sessions.
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
