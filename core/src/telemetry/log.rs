use std::fmt;

/// The `tracing` target of every log event of this family of crates.
#[cfg(feature = "tracing")]
const TARGET: &str = "token_cache";

/// Logs a failure at WARN that an operator should look at. It is for stores and other crates of this family, so that all their events
/// have the target `token_cache`.
///
/// `event` is a stable name in snake case, for filters and alerts. `detail` is one sentence: what failed, on what, why, and what to
/// do. It must contain no token, no key and no id of a user (G5). Without the feature `tracing` this does nothing.
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

/// Logs an event at INFO that an operator may want to know, and need not act on. The arguments are those of [`warn`]. Without the feature
/// `tracing` this does nothing.
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
