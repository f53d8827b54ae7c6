use std::time::Duration;

use crate::Timestamp;

/// The longest near-cache life that a server can be configured with.
pub(crate) const MAX_NEAR_CACHE_LIFE: Duration = Duration::from_secs(60);

/// The settings that all app servers of a namespace share. A namespace is all that one fleet of servers has in a store.
///
/// A starting [`TokenCache`](crate::TokenCache) writes the record if it is missing. Each server then reads it every second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamespaceRecord {
    /// An input of every key hash, so that no server finds the data of another generation. It is 0 until an operator raises it after a
    /// restore ([`TokenCache::raise_generation`](crate::TokenCache::raise_generation)).
    pub generation: u64,
    /// A value by which an app server checks that its secret is the namespace's. It reveals nothing of the secret.
    pub check: [u8; 16],
    /// The longest time that an app server may serve a near-cache entry without receiving invalidation messages. It is the longest lease,
    /// or the longest maximum age, that any server is configured with. Zero if no server has a near cache.
    pub longest_near_cache_life: Duration,
}

impl NamespaceRecord {
    /// Creates a record for servers without near caches: `longest_near_cache_life` is zero.
    pub const fn new(generation: u64, check: [u8; 16]) -> Self {
        Self {
            generation,
            check,
            longest_near_cache_life: Duration::ZERO,
        }
    }

    /// Returns `longest_near_cache_life`, bounded by the longest that a server can be configured with. An invalid record with a longer one
    /// would make every sign-out wait that long.
    pub(crate) fn bounded_near_cache_life(&self) -> Duration {
        self.longest_near_cache_life.min(MAX_NEAR_CACHE_LIFE)
    }

    /// Sets the longest life of near-cache entries on any app server.
    pub const fn with_near_cache(mut self, longest_life: Duration) -> Self {
        self.longest_near_cache_life = longest_life;
        self
    }
}

/// The answer of [`TokenStore::namespace`](crate::TokenStore::namespace): the namespace's record, and a reading of the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Namespace {
    /// The record. `None` if the store has no record: before the first start of a server, and after the store was emptied.
    pub record: Option<NamespaceRecord>,
    /// A reading of the store's clock, taken during the call.
    pub time: Timestamp,
    /// The precision of that reading: the store's clock showed `time`, or up to this much later. One millisecond by default.
    pub precision: Duration,
}

impl Namespace {
    /// Creates an answer from a clock with a precision of one millisecond. `record` is `None` if the store has no record.
    pub const fn new(record: Option<NamespaceRecord>, time: Timestamp) -> Self {
        Self {
            record,
            time,
            precision: Duration::from_millis(1),
        }
    }

    /// Sets the precision of the reading, instead of one millisecond.
    pub const fn precise_to(mut self, precision: Duration) -> Self {
        self.precision = precision;
        self
    }
}
