use std::fmt;

/// The `tracing` target of every log event of this family of crates.
#[cfg(feature = "tracing")]
const TARGET: &str = "token_cache";

/// Logs at WARN that something went wrong which an operator should look at.
///
/// `event` is a stable name in snake case, for filters and alerts. `detail` is one sentence: what failed, on what, why, and what to
/// do. It holds no token, no key and no id of a user (G5). Without the feature `tracing` this does nothing.
///
/// ```
/// use token_cache_core::telemetry::warn;
///
/// warn(
///     "logout_token_refused",
///     format_args!("a logout token of https://id.example was refused: its signature does not match any key"),
/// );
/// ```
pub fn warn(event: &'static str, detail: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, event, "{detail}");
    #[cfg(not(feature = "tracing"))]
    let _ = (event, detail);
}

/// Logs at INFO what an operator may want to know and need not act on. The arguments are those of [`warn`].
///
/// ```
/// token_cache_core::telemetry::info("keys_fetched", format_args!("fetched 3 keys of https://id.example"));
/// ```
pub fn info(event: &'static str, detail: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, event, "{detail}");
    #[cfg(not(feature = "tracing"))]
    let _ = (event, detail);
}
