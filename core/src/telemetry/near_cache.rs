//! What near caches tell of themselves.

/// What became of a look for a near-cache entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NearCacheRead {
    /// It was served.
    Hit,
    /// There was none.
    Miss,
    /// There was one, and it could not be served: its lease or its age had run out, or something was published since.
    Stale,
}

/// A look for a near-cache entry.
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

/// A copy that was kept of what the store answered.
#[inline]
pub(crate) fn near_cache_populated() {
    count!("token_cache_near_cache_populated_total", 1);
}

/// How many copies this server keeps, and their bytes.
pub(crate) fn near_cache_size(size: impl FnOnce() -> (usize, usize)) {
    #[cfg(feature = "metrics")]
    {
        let (items, bytes) = size();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; so many bytes there are not"
        )]
        {
            metrics::gauge!("token_cache_near_cache_items").set(items as f64);
            metrics::gauge!("token_cache_near_cache_bytes").set(bytes as f64);
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = size;
}

/// This server's link was lost, and its lease with it.
pub(crate) fn lease_lost() {
    count!("token_cache_leases_lost_total", 1);
}

/// Servers that held a lease and did not answer a sign-out.
pub(crate) fn silent(servers: usize) {
    if servers > 0 {
        count!("token_cache_silent_servers_total", servers as u64);
    }
}

/// What was to be told to the other servers, could not be told within the life of any copy.
pub(crate) fn publish_failed() {
    count!("token_cache_publish_failed_total", 1);
}
