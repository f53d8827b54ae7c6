use std::time::Duration;

/// The longest valid timeout.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10 * 60);

const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1_000), ("m", 60_000)];
const HOURS: (&str, u64) = ("h", 3_600_000);

/// Returns the duration that a parameter of a store's URL states: a whole number with the unit `ms`, `s` or `m`, such as `500ms`, `2s` or
/// `1m`. A store calls it when it reads its URL.
///
/// Returns `None` for any other text, such as a number without a unit, and for a duration whose milliseconds do not fit into 64 bits.
///
/// ```
/// use std::time::Duration;
/// use token_cache::store::backend::duration;
///
/// assert_eq!(duration("2s"), Some(Duration::from_secs(2)));
/// assert_eq!(duration("2"), None);
/// ```
pub fn duration(text: &str) -> Option<Duration> {
    in_units(text, UNITS)
}

/// Returns the duration that a parameter of a store's URL states: a whole number with the unit `ms`, `s`, `m` or `h`, such as `6h`. Unlike
/// [`duration`], it accepts hours. A store calls it when it reads its URL.
///
/// Returns `None` for any other text, such as a number without a unit, and for a duration whose milliseconds do not fit into 64 bits.
pub fn long_duration(text: &str) -> Option<Duration> {
    in_units(text, UNITS.into_iter().chain([HOURS]))
}

fn in_units<'u>(text: &str, units: impl IntoIterator<Item = (&'u str, u64)>) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = units.into_iter().find(|(name, _)| *name == unit)?;
    let millis = number.parse::<u64>().ok()?.checked_mul(millis)?;
    Some(Duration::from_millis(millis))
}

/// Checks a timeout of a store's configuration. Returns `Ok` if it is over zero and at most ten minutes, and an error message otherwise. A
/// store calls it when it is opened. `name` is the name of the setting, for the error message.
///
/// # Errors
/// A message with the name of the setting and the valid range, if `timeout` is zero or over ten minutes.
pub fn check_timeout(name: &str, timeout: Duration) -> Result<(), String> {
    if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
        return Err(format!(
            "`{name}` must be over zero and at most {} minutes",
            LONGEST_TIMEOUT.as_secs() / 60
        ));
    }
    Ok(())
}
