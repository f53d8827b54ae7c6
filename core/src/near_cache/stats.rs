use std::time::Duration;

use super::NearCacheSize;

/// What a server keeps at this moment, and for how long it may serve it:
/// [`TokenCache::near_cache`](crate::TokenCache::near_cache).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NearCacheStats {
    /// How many copies there are. Those that may not be served count until they are dropped.
    pub size: NearCacheSize,
    /// What is left of the lease under which they are served: zero where it has run out, and for the first seconds of a server. None
    /// where the store has no [`Backplane`](crate::Backplane), and copies die of age alone.
    pub lease_left: Option<Duration>,
}
