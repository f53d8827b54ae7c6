use std::time::Duration;

use token_cache_core::{Result, backend};

use crate::config::invalid_config;

/// What a period may be: one that is shorter would keep reading the table, one that is longer leaves the work to its expiry.
const PERIODS: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(720);

/// Reads a timeout: `500ms`, `2s` or `1m`; `name` is the setting's.
pub(crate) fn parse(name: &str, text: &str) -> Result<Duration> {
    let duration = read(name, text)?;
    check(name, duration)?;
    Ok(duration)
}

/// Reads a period: `15m`, `6h`.
pub(crate) fn parse_period(name: &str, text: &str) -> Result<Duration> {
    let period = read(name, text)?;
    check_period(name, period)?;
    Ok(period)
}

fn read(name: &str, text: &str) -> Result<Duration> {
    backend::long_duration(text).ok_or_else(|| {
        invalid_config(format!(
            "`{name}` is a number with a unit, `500ms`, `2s`, `1m` or `6h`"
        ))
    })
}

pub(crate) fn check(name: &str, duration: Duration) -> Result<()> {
    backend::check_timeout(name, duration).map_err(invalid_config)
}

pub(crate) fn check_period(name: &str, period: Duration) -> Result<()> {
    if PERIODS.contains(&period) {
        return Ok(());
    }
    Err(invalid_config(format!(
        "`{name}` must be between a minute and 30 days, `1h` say"
    )))
}

/// For `#[serde(deserialize_with)]` of a period.
pub(crate) fn deserialize_period<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = <Option<String> as serde::Deserialize>::deserialize(deserializer)?;
    let period = text.map(|text| parse_period("sweep", &text));
    period.transpose().map_err(serde::de::Error::custom)
}

/// The same of a timeout.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    parse("a timeout", &text).map_err(serde::de::Error::custom)
}
