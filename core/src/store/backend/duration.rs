use std::time::Duration;

/// The longest valid timeout.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Returns the duration that a parameter of a store's URL states: a whole number with the unit `ms`, `s`, `m` or `h`, such as `500ms`, `2s`,
/// `1m` or `6h`. A store calls it when it reads its URL, and then checks the range, such as with [`check_timeout`].
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
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(unit_millis)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_and_a_unit_and_nothing_else() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("60s", 60_000),
            ("060s", 60_000),
            ("1m", 60_000),
            ("6h", 21_600_000),
            ("18446744073709551615ms", u64::MAX),
        ] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "2",
            "s",
            "2 s",
            " 2s",
            "2s ",
            "+2s",
            "-2s",
            "1.5s",
            "1m30s",
            "2S",
            "1M",
            "2d",
            "18446744073709551615s",
            "18446744073709551616ms",
            "18446744073709551615s1000ms",
            "\u{662}s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
