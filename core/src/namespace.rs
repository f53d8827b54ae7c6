use std::time::Duration;

use crate::Timestamp;

/// The longest that any server's copies may live.
pub(crate) const MAX_NEAR_CACHE_LIFE: Duration = Duration::from_secs(60);

/// What all servers of a namespace agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamespaceRecord {
    /// Part of every key hash: 0, until an operator raises it after a restore.
    pub generation: u64,
    /// Tells whether a server's id key is the namespace's; reveals nothing of it.
    pub check: [u8; 16],
    /// How long a near-cache entry may be served at the most by a server that hears nothing of a sign-out: the longest lease, or the
    /// greatest age, that any server was set to. Zero where none keeps copies.
    pub longest_near_cache_life: Duration,
}

impl NamespaceRecord {
    /// A record of these parts, of a namespace whose servers keep no near caches.
    pub const fn new(generation: u64, check: [u8; 16]) -> Self {
        Self {
            generation,
            check,
            longest_near_cache_life: Duration::ZERO,
        }
    }

    /// Returns the longest life of a copy, and never more than a server can be set to: a record that claims more would make
    /// every sign-out wait that long.
    pub(crate) fn bounded_near_cache_life(&self) -> Duration {
        self.longest_near_cache_life.min(MAX_NEAR_CACHE_LIFE)
    }

    /// Says that servers keep near caches, and for how long.
    pub const fn with_near_cache(mut self, longest_life: Duration) -> Self {
        self.longest_near_cache_life = longest_life;
        self
    }
}

/// What [`TokenStore::namespace`](crate::TokenStore::namespace) answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Namespace {
    /// The record; none before the first start, and after the store was emptied.
    pub record: Option<NamespaceRecord>,
    /// The store's clock, read at some moment of the call.
    pub time: Timestamp,
    /// How coarse that is: at that moment the store's clock said `time`, or up to so much later.
    pub precision: Duration,
}

impl Namespace {
    /// An answer of these parts, of a clock that tells milliseconds.
    pub const fn new(record: Option<NamespaceRecord>, time: Timestamp) -> Self {
        Self {
            record,
            time,
            precision: Duration::from_millis(1),
        }
    }

    /// Says that the clock may have said up to so much later than `time`.
    pub const fn precise_to(mut self, precision: Duration) -> Self {
        self.precision = precision;
        self
    }
}
