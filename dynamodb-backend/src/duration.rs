use std::time::Duration;

use token_cache_core::Result;

use crate::config::refused;

/// The longest that a timeout may be.
const MAX: Duration = Duration::from_mins(10);

/// Reads `500ms`, `2s` or `1m`; `name` is the setting's.
pub(crate) fn parse(name: &str, text: &str) -> Result<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let duration = number
        .parse::<u64>()
        .ok()
        .zip(millis)
        .and_then(|(number, millis)| number.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| {
            refused(format!(
                "`{name}` is a number with a unit, `500ms`, `2s` or `1m`"
            ))
        })?;
    check(name, duration)?;
    Ok(duration)
}

pub(crate) fn check(name: &str, duration: Duration) -> Result<()> {
    if duration.is_zero() || duration > MAX {
        return Err(refused(format!(
            "`{name}` must be over zero and at most {} minutes",
            MAX.as_secs() / 60
        )));
    }
    Ok(())
}

/// For `#[serde(deserialize_with)]`.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
    parse("a timeout", &text).map_err(serde::de::Error::custom)
}
