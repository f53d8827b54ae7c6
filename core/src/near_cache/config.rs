use std::time::Duration;

use crate::{Error, Result, namespace::MAX_NEAR_CACHE_LIFE};

const LEASES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(30);
const AGES: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=MAX_NEAR_CACHE_LIFE;

const DEFAULT_LEASE: Duration = Duration::from_secs(1);
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);

/// What near caches a server keeps of what it has read, and for how long: for
/// [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache).
///
/// A sign-out returns when no server can serve a copy any more (G1). Where the store has a [`Backplane`](crate::Backplane), the other
/// servers say so; one that does not answer, because it crashed or is cut off, holds the sign-out up for one
/// [`lease`](Self::lease), once. Where the store has none, **every** sign-out waits the [`max_age`](Self::max_age) out.
///
/// Copies hold opened tokens, in this process's memory: they are wiped when they go.
///
/// ```
/// use std::time::Duration;
/// use token_cache_core::near_cache::CopyPolicy;
///
/// let policy = CopyPolicy::new().max_age(Duration::from_secs(10)).max_bytes(16 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct NearCacheConfig {
    pub(super) lease: Option<Duration>,
    max_age: Option<Duration>,
    max_entries: usize,
    max_bytes: usize,
}

/// What a policy comes to on a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NearCacheLimits {
    /// How long a renewal is good for; none where there is nobody to renew it with.
    pub(crate) lease: Option<Duration>,
    pub(crate) max_age: Duration,
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: usize,
}

impl NearCacheLimits {
    /// How long a copy may be served at the most by a server that hears nothing.
    pub(crate) fn longest_life(&self) -> Duration {
        self.lease.unwrap_or(self.max_age)
    }
}

impl NearCacheConfig {
    /// Up to 100,000 copies and 64 MiB, under a lease of one second, none older than a minute.
    pub const fn new() -> Self {
        Self {
            lease: None,
            max_age: None,
            max_entries: 100_000,
            max_bytes: 64 << 20,
        }
    }

    /// For how long a server may serve copies without hearing of the store: one second unless said, 100 ms to 30 s. It is renewed
    /// four times as often. Only where the store has a backplane.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// How old a copy may be, counted from when its read was sent: 100 ms to 60 s. A minute unless said, where the store has a
    /// link; where it has none it must be said, and is how long every sign-out takes.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// How many copies are kept at the most: 100,000 unless said, 16 at the least. An entry is one, and a session's record is
    /// another.
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// How many bytes they may take: 64 MiB unless said, 64 KiB at the least. A copy counts for its value and 288 bytes.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// What is out of its range, if anything is.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.lease.is_some_and(|lease| !LEASES.contains(&lease)) {
            return Some("the lease is 100 milliseconds to 30 seconds");
        }
        if self.max_age.is_some_and(|age| !AGES.contains(&age)) {
            return Some(
                "the greatest age of a near-cache entry is 100 milliseconds to 60 seconds",
            );
        }
        if !(16..=10_000_000).contains(&self.max_entries) {
            return Some("the most near caches are 16 to 10,000,000");
        }
        (self.max_bytes < 64 << 10).then_some("near caches may take 64 KiB at the least")
    }

    /// What means nothing on a store that can't tell servers of a sign-out.
    pub(super) fn fault_without_backplane(&self) -> Option<&'static str> {
        self.lease.is_some().then_some(
            "this store can't tell servers of a sign-out, so there is no lease to renew; leave the lease out, and set the \
             greatest age alone (`max_age`, or `?near_cache=5s` in the URL): every sign-out waits that long",
        )
    }

    /// The same, if every number is in its range.
    pub(crate) fn checked(self) -> Result<Self> {
        match self.fault() {
            Some(fault) => Err(Error::misuse("keep near caches", fault)),
            None => Ok(self),
        }
    }

    /// What it comes to on a store with a backplane, or without.
    pub(crate) fn on_store(self, has_backplane: bool) -> Result<NearCacheLimits> {
        let Self {
            lease,
            max_age,
            max_entries,
            max_bytes,
        } = self.checked()?;
        let config = |lease, max_age| NearCacheLimits {
            lease,
            max_age,
            max_entries,
            max_bytes,
        };
        let refused = |message: &str| Err(Error::misuse("keep near caches", message));
        if has_backplane {
            let max_age = max_age.unwrap_or(DEFAULT_MAX_AGE);
            return Ok(config(Some(lease.unwrap_or(DEFAULT_LEASE)), max_age));
        }
        match (self.fault_without_backplane(), max_age) {
            (Some(fault), _) => refused(fault),
            (None, Some(max_age)) => Ok(config(None, max_age)),
            (None, None) => refused(
                "this store can't tell servers of a sign-out, so every sign-out waits until near_caches have died of age; say how \
                 long that may be, up to 60 seconds (`max_age`, or `?near_cache=5s` in the URL)",
            ),
        }
    }
}

impl Default for NearCacheConfig {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn is_refused(policy: NearCacheConfig) -> bool {
        policy
            .checked()
            .is_err_and(|error| error.kind() == ErrorKind::Misuse)
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let millis = Duration::from_millis;
        assert!(NearCacheConfig::new().checked().is_ok());
        for policy in [
            NearCacheConfig::new().lease(millis(99)),
            NearCacheConfig::new().lease(millis(30_001)),
            NearCacheConfig::new().max_age(millis(99)),
            NearCacheConfig::new().max_age(millis(60_001)),
            NearCacheConfig::new().max_entries(15),
            NearCacheConfig::new().max_entries(10_000_001),
            NearCacheConfig::new().max_bytes((64 << 10) - 1),
        ] {
            assert!(is_refused(policy), "{policy:?}");
        }
    }

    #[test]
    fn with_a_backplane_both_have_a_default() {
        let config = NearCacheConfig::new().on_store(true).unwrap();
        assert_eq!(config.lease, Some(Duration::from_secs(1)));
        assert_eq!(config.max_age, Duration::from_secs(60));
    }

    #[test]
    fn without_a_backplane_the_age_must_be_said_and_there_is_no_lease() {
        let five = Duration::from_secs(5);
        let refused = |policy: NearCacheConfig| policy.on_store(false).unwrap_err().to_string();
        assert!(refused(NearCacheConfig::new()).contains("?near_cache=5s"));
        assert!(
            refused(NearCacheConfig::new().max_age(five).lease(five)).contains("leave the lease")
        );
        let config = NearCacheConfig::new()
            .max_age(five)
            .on_store(false)
            .unwrap();
        assert_eq!((config.lease, config.max_age), (None, five));
    }
}
