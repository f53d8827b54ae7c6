use std::fmt;

/// The `tracing` target of every log event of this family of crates.
#[cfg(feature = "tracing")]
const TARGET: &str = "token_cache";

/// Logs a failure at WARN that an operator should look at, with the target `token_cache`. Without the feature `tracing` it does nothing.
///
/// It is for stores and other crates of this family, whose log events all have this target. `event` is a stable name in snake case, for
/// filters and alerts. `detail` is one sentence: what failed, on what, why, and what to do. It must contain no token, no key and no id of a
/// user (G5): the function logs it unchanged.
///
/// ```
/// use token_cache::admin::telemetry::warn;
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

/// Logs an event at INFO that needs no action by an operator, with the target `token_cache`. Without the feature `tracing` it does nothing.
///
/// It is for stores and other crates of this family, whose log events all have this target. `event` is a stable name in snake case, for
/// filters and alerts. `detail` is one sentence, without tokens, keys and ids of users (G5): the function logs it unchanged.
///
/// ```
/// token_cache::admin::telemetry::info("keys_fetched", format_args!("fetched 3 keys of https://id.example"));
/// ```
pub fn info(event: &'static str, detail: fmt::Arguments<'_>) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, event, "{detail}");
    #[cfg(not(feature = "tracing"))]
    let _ = (event, detail);
}
