use std::time::Duration;

use super::NearCacheSize;

/// The size of a server's near cache and the rest of its lease, returned by [`TokenCache::near_cache`](crate::TokenCache::near_cache).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NearCacheStats {
    /// The size of the near cache. Items that may not be served count until they are dropped.
    pub size: NearCacheSize,
    /// The remaining time of the lease. It is zero if the lease has expired, and in the first seconds of a server. `None` if the store has
    /// no [`Backplane`](crate::Backplane), where entries only expire by age.
    pub lease_left: Option<Duration>,
}
