//! The metrics of the near cache. `token_cache_core::telemetry::METRICS` describes them.

/// Increments a counter.
macro_rules! count {
    ($name:literal, $by:expr) => {{
        #[cfg(feature = "metrics")]
        metrics::counter!($name).increment($by);
        #[cfg(not(feature = "metrics"))]
        let _ = $by;
    }};
}

/// The result of a read in the near cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NearCacheRead {
    /// An entry was served.
    Hit,
    /// There was no entry.
    Miss,
    /// There was an entry that could not be served: its lease or its age had expired, or an invalidation came since.
    Stale,
}

/// Counts a read in the near cache.
#[inline]
pub(crate) fn near_cache_read(read: NearCacheRead) {
    #[cfg(feature = "metrics")]
    {
        let outcome = match read {
            NearCacheRead::Hit => "hit",
            NearCacheRead::Miss => "miss",
            NearCacheRead::Stale => "stale",
        };
        metrics::counter!("token_cache_near_cache_reads_total", "outcome" => outcome).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = read;
}

/// Counts an item that was stored in the near cache.
#[inline]
pub(crate) fn near_cache_populated() {
    count!("token_cache_near_cache_populated_total", 1);
}

/// Sets the gauges of the near cache's items and bytes.
pub(crate) fn near_cache_size(size: impl FnOnce() -> (usize, usize)) {
    #[cfg(feature = "metrics")]
    {
        let (items, bytes) = size();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and numbers of this size convert exactly"
        )]
        {
            metrics::gauge!("token_cache_near_cache_items").set(items as f64);
            metrics::gauge!("token_cache_near_cache_bytes").set(bytes as f64);
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = size;
}

/// Counts a lost backplane connection, with which the lease was lost.
pub(crate) fn lease_lost() {
    count!("token_cache_leases_lost_total", 1);
}

/// Counts servers that held a lease and did not acknowledge a sign-out.
pub(crate) fn silent(servers: usize) {
    if servers > 0 {
        count!("token_cache_silent_servers_total", servers as u64);
    }
}

/// Counts an invalidation that could not be published within the longest life of a near-cache entry.
pub(crate) fn publish_failed() {
    count!("token_cache_publish_failed_total", 1);
}
