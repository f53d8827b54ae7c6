use std::time::Duration;

use crate::Timestamp;

/// The longest life of a near-cache entry that a server can be configured with: 60 seconds.
pub const MAX_NEAR_CACHE_LIFE: Duration = Duration::from_secs(60);

/// The settings that all app servers of a namespace share, as a record in the store. A namespace is all that one fleet of app servers has
/// in a store.
///
/// The first [`TokenCache`](crate::TokenCache) that is opened in the namespace writes the record. Each app server then reads it every
/// second. Apps do not use this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamespaceRecord {
    /// A number that goes into the keyed hashes of all ids. App servers with different generations find nothing of each other. An app
    /// server takes over a higher generation when it reads the record.
    ///
    /// It is 0 until an operator raises it, which ends every session: see
    /// [`TokenCache::raise_generation`](crate::TokenCache::raise_generation).
    pub generation: u64,
    /// A value that is derived from the namespace's [`Secret`](crate::Secret) and reveals nothing of it. By this value, an app server
    /// checks that it has the same secret as the other servers. With another secret,
    /// [`TokenCacheBuilder::open`](crate::TokenCacheBuilder::open) fails with [`Config`](crate::ErrorKind::Config). The calls of a cache
    /// that is open already then fail with it too.
    pub check: [u8; 16],
    /// The longest time for which an app server may serve a near-cache entry without receiving invalidation messages. Zero if no app server
    /// has a near cache.
    ///
    /// It is the longest near-cache lease that any app server is configured with. On a store without a [`Backplane`](crate::Backplane), it
    /// is the longest maximum age of near-cache entries instead. A [`TokenCache`](crate::TokenCache) treats a value over 60 seconds as 60
    /// seconds.
    pub longest_near_cache_life: Duration,
}

impl NamespaceRecord {
    /// Creates a record, whose parameters are the fields of the same names. A store calls it when it reads the record from its own data.
    ///
    /// The third field, [`longest_near_cache_life`](Self::longest_near_cache_life), is zero. A store that has stored another value sets it
    /// with [`with_near_cache`](Self::with_near_cache).
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

    /// Sets [`longest_near_cache_life`](Self::longest_near_cache_life): the longest time for which an app server may serve a near-cache
    /// entry without receiving invalidation messages. By default, it is zero: no app server has a near cache. A store calls it when it
    /// reads the record from its own data.
    pub const fn with_near_cache(mut self, longest_life: Duration) -> Self {
        self.longest_near_cache_life = longest_life;
        self
    }
}

/// The result of [`TokenStore::namespace`](crate::TokenStore::namespace): the record of the namespace, and a reading of the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Namespace {
    /// The record of the namespace. `None` before the first app server starts, and after the store was emptied.
    pub record: Option<NamespaceRecord>,
    /// A reading of the store's clock. The store took it during the call.
    pub time: Timestamp,
    /// The precision of `time`, one millisecond by default. The store's clock showed a time from `time` to `time` plus this duration.
    pub precision: Duration,
}

impl Namespace {
    /// Creates the result of [`TokenStore::namespace`](crate::TokenStore::namespace), for a store whose clock states milliseconds. For a
    /// coarser clock, also call [`precise_to`](Self::precise_to). A store calls it. `record` is `None` if the store has no record of the
    /// namespace. `time` is a reading of the store's clock during the call.
    pub const fn new(record: Option<NamespaceRecord>, time: Timestamp) -> Self {
        Self {
            record,
            time,
            precision: Duration::from_millis(1),
        }
    }

    /// Sets the precision of [`time`](Self::time), which is one millisecond by default. A store calls it if its clock has another
    /// precision, for example one second if it states only whole seconds. With a value that is too small, a
    /// [`TokenCache`](crate::TokenCache) computes wrong times, so that a sign-out may miss a session.
    pub const fn precise_to(mut self, precision: Duration) -> Self {
        self.precision = precision;
        self
    }
}
