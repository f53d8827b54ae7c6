//! The errors of settings, which are found before any request.

use token_cache_core::Error;

/// The error of a setting that is invalid.
pub(crate) fn invalid_config(message: impl Into<String>) -> Error {
    Error::config("configure the Redis store", message)
}

/// The error of a setting that needs `feature`, which is off.
pub(crate) fn feature_off(feature: &str) -> Error {
    invalid_config(format!(
        "this kind of server is not compiled in; add the feature `{feature}` of token-cache-redis (`redis-{feature}` of token-cache)"
    ))
}
