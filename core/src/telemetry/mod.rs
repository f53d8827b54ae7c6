//! The spans, log events and metrics of a cache. The feature `tracing` (on by default) turns spans and log events on, and the feature
//! `metrics` turns metrics on.
//!
//! The page `docs/observability.md` of the repository lists them all. No span and no metric contains an id, a key or a token (G5). A span
//! has the first 32 bits of an account's keyed hash, which distinguish accounts in a log and identify no user.
//!
//! ```
//! use token_cache::admin::telemetry::METRICS;
//!
//! assert!(METRICS.iter().any(|metric| metric.name == "token_cache_reads_total"));
//! ```

/// Increments a counter that belongs to no operation.
macro_rules! count {
    ($name:literal, $by:expr) => {{
        #[cfg(feature = "metrics")]
        metrics::counter!($name).increment($by);
        #[cfg(not(feature = "metrics"))]
        let _ = $by;
    }};
}

#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(dead_code, reason = "used by spans and metrics, which are features")
)]
mod failure;
#[cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(dead_code, reason = "used by spans and metrics, which are features")
)]
mod observe;
mod operation;
mod tables;

pub use self::tables::{METRICS, Metric, MetricKind, SPANS};
pub(crate) use self::{
    failure::Failure,
    observe::{About, in_current_span, observe},
    operation::Operation,
};
pub use crate::util::log::{info, warn};
use std::time::Duration;

use crate::{Error, Result};

#[cfg(feature = "metrics")]
pub use self::tables::describe_metrics;

/// Counts sessions that were ended because their account exceeded its limit of sessions.
pub(crate) fn displaced(sessions: usize) {
    if sessions > 0 {
        count!("token_cache_sessions_displaced_total", sessions as u64);
    }
}

/// Counts a request by which a provider reports that a user has signed out, in the metric `token_cache_provider_messages_total`. Without
/// the feature `metrics` it does nothing.
///
/// The routes of the crate `token-cache-sign-out` call it for each logout message. Call it if your app receives such messages in routes of
/// its own.
///
/// `channel` and `outcome` are values of the metric's labels of the same names, which [`METRICS`] lists. `issuer` must be an issuer that
/// the app is configured with, never a text of the request: a sender of forged requests could otherwise create any number of metric series.
/// The function checks none of the three.
pub fn provider_message(channel: &'static str, issuer: &str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        "token_cache_provider_messages_total",
        "channel" => channel,
        "issuer" => issuer.to_owned(),
        "outcome" => outcome,
    )
    .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (channel, issuer, outcome);
}

/// Runs a sign-out's wait for near caches in the span `token_cache.await_near_caches`, and counts it by the outcome that it returns beside its
/// result. A near cache calls it.
///
/// # Errors
/// The error of `wait`.
pub async fn await_near_caches<T>(
    wait: impl Future<Output = Result<(&'static str, T)>>,
) -> Result<T> {
    let (operation, about) = (Operation::AwaitNearCaches, About::default());
    let waited = observe(operation, about, wait, |(outcome, _)| outcome).await;
    waited.map(|(_, waited)| waited)
}

/// Runs the renewal of a near-cache lease in the span `token_cache.renew_lease`, and counts it. A near cache calls it.
///
/// # Errors
/// The error of `renewal`.
pub async fn renew_lease<T>(renewal: impl Future<Output = Result<T>>) -> Result<T> {
    observe(
        Operation::RenewLease,
        About::default(),
        renewal,
        |_| "renewed",
    )
    .await
}

/// Counts an entry that could not be decrypted.
pub(crate) fn not_opened(error: &Error) {
    #[cfg(feature = "metrics")]
    metrics::counter!("token_cache_open_failures_total", "kind" => error.kind().name())
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = error;
}

/// Sets the gauges of how long each key of the ring has decrypted nothing.
pub(crate) fn keys_idle(keys: impl FnOnce() -> Vec<(String, Duration)>) {
    #[cfg(feature = "metrics")]
    for (name, idle) in keys() {
        metrics::gauge!("token_cache_key_idle_seconds", "key" => name).set(idle);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = keys;
}

/// Measures how long a caller waits for tokens that are due.
pub(crate) async fn waiting<T>(work: impl Future<Output = T>) -> T {
    #[cfg(feature = "metrics")]
    let begun = std::time::Instant::now();
    let done = work.await;
    #[cfg(feature = "metrics")]
    metrics::histogram!("token_cache_refresh_wait_seconds").record(begun.elapsed());
    done
}
