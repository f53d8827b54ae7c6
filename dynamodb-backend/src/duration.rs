use std::time::Duration;

use token_cache_core::{Result, backend};

use crate::config::invalid_config;

/// The valid periods. A shorter one would read the table all the time; a longer one leaves the work to the time-to-live.
const PERIODS: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(720);

/// Parses the timeout `name`: `500ms`, `2s` or `1m`.
pub(crate) fn parse(name: &str, text: &str) -> Result<Duration> {
    let duration = read(name, text)?;
    check(name, duration)?;
    Ok(duration)
}

/// Parses the period `name`: `15m`, `6h`.
pub(crate) fn parse_period(name: &str, text: &str) -> Result<Duration> {
    let period = read(name, text)?;
    check_period(name, period)?;
    Ok(period)
}

fn read(name: &str, text: &str) -> Result<Duration> {
    backend::duration(text).ok_or_else(|| {
        invalid_config(format!(
            "`{name}` is invalid; it must be a number with a unit, such as `500ms`, `2s`, `1m` or `6h`"
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
        "`{name}` is out of range; it must be between a minute and 30 days, such as `1h`"
    )))
}

/// Deserializes a period.
pub(crate) fn deserialize_period<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = <Option<String> as serde::Deserialize>::deserialize(deserializer)?;
    let period = text.map(|text| parse_period("sweep", &text));
    period.transpose().map_err(serde::de::Error::custom)
}

/// Deserializes a timeout.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    parse("a timeout", &text).map_err(serde::de::Error::custom)
}
