use std::{fmt, time::Duration};

/// An instant of a [`BootTime`], in nanoseconds since the start of that clock. Leases and ages are measured with it.
///
/// Instants of two servers cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BootInstant(u64);

impl BootInstant {
    /// Returns the instant `nanos` nanoseconds after the clock's start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the clock's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time since `earlier`, or zero if `earlier` is later than `self`.
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

/// A monotonic clock that continues while the machine sleeps. Leases and ages of near-cache entries are measured with it.
///
/// An app uses [`SystemBootTime`]. Tests use a manual clock.
pub trait BootTime: fmt::Debug + Send + Sync + 'static {
    /// Returns the current instant.
    fn now(&self) -> BootInstant;
}

/// The machine's clock: `CLOCK_BOOTTIME` on Linux and Android, which includes suspension, and a monotonic clock elsewhere.
///
/// If a hypervisor freezes a virtual machine, no clock of that machine counts the frozen time. Do not use a near cache on machines that can
/// be frozen.
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
