use std::time::Duration;

use token_cache_core::{Result, backend};

use crate::error::invalid_config;

/// Parses the timeout `name`: `500ms`, `2s` or `1m`.
pub(crate) fn parse(name: &str, text: &str) -> Result<Duration> {
    let duration = backend::duration(text).ok_or_else(|| {
        invalid_config(format!(
            "`{name}` is invalid; it must be a number with a unit, such as `500ms`, `2s` or `1m`"
        ))
    })?;
    check(name, duration)?;
    Ok(duration)
}

pub(crate) fn check(name: &str, duration: Duration) -> Result<()> {
    backend::check_timeout(name, duration).map_err(invalid_config)
}

/// Deserializes a timeout.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    parse("a timeout", &text).map_err(serde::de::Error::custom)
}
