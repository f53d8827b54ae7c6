use std::time::Duration;

use token_cache_core::{Error, Result, near_cache::MAX_NEAR_CACHE_LIFE};

const LEASES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(30);
const AGES: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=MAX_NEAR_CACHE_LIFE;

const DEFAULT_LEASE: Duration = Duration::from_secs(1);
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);

/// The settings of an app server's near cache. Pass them to [`TokenCacheBuilder::near_cache`](token_cache_core::TokenCacheBuilder::near_cache).
/// Without them, a server has no near cache. [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) returns
/// [`Misuse`](token_cache_core::ErrorKind::Misuse) if a setting is out of its range.
///
/// With a near cache, a server serves reads from its own memory. Near-cache entries contain decrypted tokens. They are wiped from memory
/// when they are dropped.
///
/// A sign-out returns when no server can serve a near-cache entry of the ended sessions (G1). If the store has a
/// [`Backplane`](token_cache_core::Backplane), the other servers acknowledge that they dropped these entries. A server may not acknowledge, because it
/// crashed or is cut off. It then delays a sign-out once, by at most the longest [`lease`](Self::lease) of any server, plus 2% of it and 5
/// ms. If the store has no backplane, **every** sign-out waits for the longest [`max_age`](Self::max_age) of any server.
///
/// ```
/// use std::time::Duration;
/// use token_cache::near_cache::NearCacheConfig;
///
/// let config = NearCacheConfig::new().max_age(Duration::from_secs(10)).max_bytes(16 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct NearCacheConfig {
    pub(crate) lease: Option<Duration>,
    max_age: Option<Duration>,
    max_entries: usize,
    max_bytes: usize,
}

/// The settings after the defaults of a store are filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NearCacheLimits {
    /// The duration of the lease. `None` on a store without a backplane.
    pub(crate) lease: Option<Duration>,
    pub(crate) max_age: Duration,
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: usize,
}

impl NearCacheLimits {
    /// Returns the longest time for which this server may serve an entry without contact to other servers.
    pub(crate) fn longest_life(&self) -> Duration {
        self.lease.unwrap_or(self.max_age)
    }
}

impl NearCacheConfig {
    /// Creates the default settings: at most 100,000 items and 64 MiB, a lease of one second, and a maximum age of one minute.
    ///
    /// On a store without a [`Backplane`](token_cache_core::Backplane), there is no lease and no default maximum age. Set [`max_age`](Self::max_age)
    /// there: [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) returns [`Misuse`](token_cache_core::ErrorKind::Misuse) otherwise.
    pub const fn new() -> Self {
        Self {
            lease: None,
            max_age: None,
            max_entries: 100_000,
            max_bytes: 64 << 20,
        }
    }

    /// Sets the duration of the lease: how long this server may serve near-cache entries without contact to the store. The default is one
    /// second, and the range is 100 ms to 30 s. [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) refuses other values with
    /// [`Misuse`](token_cache_core::ErrorKind::Misuse).
    ///
    /// The server renews its lease four times in that duration. If it cannot renew the lease, it serves no near-cache entries after the
    /// lease has ended. A longer lease needs fewer requests, but a crashed server then delays a sign-out for longer.
    ///
    /// Only a store with a [`Backplane`](token_cache_core::Backplane) supports a lease. On another store,
    /// [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) returns [`Misuse`](token_cache_core::ErrorKind::Misuse) if a lease is set.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Sets the maximum age at which a near-cache entry is served. A read of an older entry goes to the store. The age is measured from the
    /// time at which the read that stored the entry was sent. The range is 100 ms to 60 s.
    /// [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) refuses other values with [`Misuse`](token_cache_core::ErrorKind::Misuse).
    ///
    /// On a store with a [`Backplane`](token_cache_core::Backplane), the default is one minute. On a store without one, every sign-out on any server
    /// waits for the maximum age. There is no default there: [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) returns
    /// [`Misuse`](token_cache_core::ErrorKind::Misuse) if no maximum age is set.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Sets the largest number of items in the near cache. An item is an entry or a session record. When the near cache is full, it drops
    /// items, and reads of them go to the store.
    ///
    /// The default is 100,000, and the range is 16 to 10,000,000. [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) refuses other
    /// values with [`Misuse`](token_cache_core::ErrorKind::Misuse).
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Sets the largest size of the near cache in bytes. An entry counts as the bytes of its value plus 288, and a session record as 288
    /// bytes. When the near cache is full, it drops items, and reads of them go to the store.
    ///
    /// The default is 64 MiB, and the least value is 64 KiB. [`TokenCacheBuilder::open`](token_cache_core::TokenCacheBuilder::open) refuses a smaller
    /// one with [`Misuse`](token_cache_core::ErrorKind::Misuse).
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Returns a message about the first setting that is out of range, or `None`.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.lease.is_some_and(|lease| !LEASES.contains(&lease)) {
            return Some("the lease must be 100 milliseconds to 30 seconds");
        }
        if self.max_age.is_some_and(|age| !AGES.contains(&age)) {
            return Some(
                "the maximum age of a near-cache entry must be 100 milliseconds to 60 seconds",
            );
        }
        if !(16..=10_000_000).contains(&self.max_entries) {
            return Some("`max_entries` must be 16 to 10,000,000");
        }
        (self.max_bytes < 64 << 10).then_some("`max_bytes` must be at least 64 KiB")
    }

    /// Returns a message about a setting that a store without a backplane does not support, or `None`.
    pub(super) fn fault_without_backplane(&self) -> Option<&'static str> {
        self.lease.is_some().then_some(
            "this store has no backplane to notify servers of a sign-out, so it supports no lease; leave the lease out, and set only \
             the maximum age (`max_age`, or `?near_cache=5s` in the URL); every sign-out waits that long",
        )
    }

    /// Returns `self` if every setting is in its range.
    pub(crate) fn checked(self) -> Result<Self> {
        match self.fault() {
            Some(fault) => Err(Error::misuse("configure the near cache", fault)),
            None => Ok(self),
        }
    }

    /// Returns the settings with the defaults for a store with a backplane or without one.
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
        let refused = |message: &str| Err(Error::misuse("configure the near cache", message));
        if has_backplane {
            let max_age = max_age.unwrap_or(DEFAULT_MAX_AGE);
            return Ok(config(Some(lease.unwrap_or(DEFAULT_LEASE)), max_age));
        }
        match (self.fault_without_backplane(), max_age) {
            (Some(fault), _) => refused(fault),
            (None, Some(max_age)) => Ok(config(None, max_age)),
            (None, None) => refused(
                "this store has no backplane to notify servers of a sign-out, so every sign-out waits for the maximum age of \
                 near-cache entries; set it, up to 60 seconds (`max_age`, or `?near_cache=5s` in the URL)",
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
    use token_cache_core::ErrorKind;

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
