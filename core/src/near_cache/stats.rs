use std::time::Duration;

use super::NearCacheSize;

/// The size of this server's near cache, and the time until its lease ends. [`TokenCache::near_cache`](crate::TokenCache::near_cache)
/// returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NearCacheStats {
    /// The size of the near cache. Items that may not be served count until they are dropped.
    pub size: NearCacheSize,
    /// The time until the lease ends. It is zero if the lease has expired or was given up, and in the first seconds after a server starts.
    /// Reads then go to the store. `None` if the store has no [`Backplane`](crate::Backplane): near-cache entries then only expire by age.
    pub lease_left: Option<Duration>,
}
