//! What a cache and its near cache ask of each other. The near cache itself is the crate `token-cache-near-cache`: an app server answers
//! reads from its own memory while it has a lease.
//!
//! An app passes the settings of that crate to [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache), and needs no other
//! item of this module except [`NearCacheStats`].
//!
//! A server without that crate still signs out safely in a fleet that has near caches (G1). Its sign-outs publish, and then wait for the
//! longest life of a near-cache entry on any server.

mod boot_time;
mod fleet_config;
mod interface;
mod without;

use std::time::Duration;

use crate::{Error, ErrorKind, Result};

pub(crate) use self::without::WithoutNearCache;
pub use self::{
    boot_time::{BootInstant, BootTime, SystemBootTime},
    fleet_config::{FleetConfig, FleetConfigWatch, STALE_AFTER},
    interface::{
        FleetMember, NearCache, NearCacheSettings, NearCacheSize, NearCacheStats, Validity,
    },
};
pub use crate::types::namespace::MAX_NEAR_CACHE_LIFE;

/// Returns the longest time that `duration` on another server's clock can take on this one: 2% and 5 ms more. The rates of the clocks of two
/// servers differ by less than 2%.
pub fn with_drift(duration: Duration) -> Duration {
    duration + duration / 50 + Duration::from_millis(5)
}

/// Waits until `at` on this clock.
pub async fn until(clock: &dyn BootTime, at: BootInstant) {
    loop {
        let left = at.since(clock.now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

/// Runs a request over the backplane with a timeout.
///
/// # Errors
/// [`TimedOut`](ErrorKind::TimedOut) if the request takes longer than `timeout`; the errors of the request.
pub async fn in_time<T>(timeout: Duration, request: impl Future<Output = Result<T>>) -> Result<T> {
    let answered = tokio::time::timeout(timeout, request).await;
    answered.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::TimedOut, "use the backplane")
            .message(format!("the store did not answer within {timeout:?}")))
    })
}
