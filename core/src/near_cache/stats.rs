use std::time::Duration;

use super::NearCacheSize;

/// The state of this app server's near cache: its size, and the time until its lease ends.
/// [`TokenCache::near_cache`](crate::TokenCache::near_cache) returns it, for example for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NearCacheStats {
    /// The number of accounts and of items in the near cache, and the bytes of the items. Items that may not be served any more count until
    /// they are dropped.
    pub size: NearCacheSize,
    /// The time until this app server's lease ends. The lease is its right to serve near-cache entries. `None` if the store has no
    /// [`Backplane`](crate::Backplane): there is no lease then, and near-cache entries expire only by age.
    ///
    /// The time is zero if the lease has expired or was given up, and in the first seconds after a server starts. All reads then go to the
    /// store.
    pub lease_left: Option<Duration>,
}
