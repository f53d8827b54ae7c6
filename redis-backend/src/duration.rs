use std::time::Duration;

use token_cache_core::{Result, backend};

use crate::config::invalid_config;

/// Reads `500ms`, `2s` or `1m`; `name` is the setting's.
pub(crate) fn parse(name: &str, text: &str) -> Result<Duration> {
    let duration = backend::duration(text).ok_or_else(|| {
        invalid_config(format!(
            "`{name}` is a number with a unit, `500ms`, `2s` or `1m`"
        ))
    })?;
    check(name, duration)?;
    Ok(duration)
}

pub(crate) fn check(name: &str, duration: Duration) -> Result<()> {
    backend::check_timeout(name, duration).map_err(invalid_config)
}

/// For `#[serde(deserialize_with)]`.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    parse("a timeout", &text).map_err(serde::de::Error::custom)
}
