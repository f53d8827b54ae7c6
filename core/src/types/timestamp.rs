use std::{
    fmt,
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01 00:00 UTC.
///
/// Each method that takes or returns a `Timestamp` says on which clock it is: the store's or the provider's. Never compare times on
/// different clocks, which may differ by minutes. [`TokenCache::now`](crate::TokenCache::now) returns the time on the store's clock.
///
/// Addition and subtraction do not overflow: a result out of range becomes [`MAX`](Self::MAX) or the earliest time, 1970-01-01 00:00 UTC.
/// The default is the earliest time.
///
/// ```
/// use std::time::Duration;
/// use token_cache::Timestamp;
///
/// let issued = Timestamp::from_secs(1_700_000_000);
/// assert_eq!(issued + Duration::from_millis(5), Timestamp::from_millis(1_700_000_000_005));
/// assert_eq!(issued.since(issued + Duration::from_secs(1)), Duration::ZERO);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest time that a `Timestamp` can have.
    pub const MAX: Self = Self(u64::MAX);

    /// Creates a time from milliseconds since 1970-01-01 00:00 UTC.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Creates a time from seconds since 1970-01-01 00:00 UTC, as in the claims `iat` and `auth_time` (RFC 7519, `NumericDate`). A number
    /// that is too large becomes [`MAX`](Self::MAX).
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Creates a time from a reading of this machine's own clock. A time before 1970 becomes the earliest `Timestamp`, 1970-01-01 00:00
    /// UTC.
    ///
    /// It is for a store that uses this machine's clock, and for tests. For tokens and sessions use
    /// [`TokenCache::now`](crate::TokenCache::now), because this machine's clock can be wrong. If it is ahead of the store's clock, the
    /// lifetime of a token that is counted from it ends too late, and the expired token counts as fresh.
    pub fn from_system_time(time: SystemTime) -> Self {
        Self(millis(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }

    /// Returns the time as milliseconds since 1970-01-01 00:00 UTC.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the duration from `earlier` to `self`. Returns zero if `earlier` is later than `self`.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
