use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest pause. A mistake of the provider must not stop refreshes for a year.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the pause in `Retry-After`, which is a number of seconds or a date (RFC 9110 section 10.2.3). A date is compared with the
/// response's own `Date`, so that both come from the provider's clock.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        let now = date(headers, DATE).unwrap_or(now);
        until.duration_since(now).unwrap_or_default()
    };
    Some(pause.min(MAX_RETRY_AFTER))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let text = headers.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn asked(pairs: &[(HeaderName, &str)]) -> Option<Duration> {
        let pairs = pairs.iter();
        let headers = pairs
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect();
        retry_after(&headers, httpdate::parse_http_date(NOW).unwrap())
    }

    #[test]
    fn seconds_and_dates() {
        let later = "Sun, 06 Nov 1994 08:50:07 GMT";
        let by_its_own = "Sun, 06 Nov 1994 08:50:00 GMT";
        for (pairs, expected) in [
            (vec![(RETRY_AFTER, "120")], Some(120)),
            (vec![(RETRY_AFTER, "0")], Some(0)),
            (vec![(RETRY_AFTER, later)], Some(30)),
            (vec![(RETRY_AFTER, later), (DATE, by_its_own)], Some(7)),
            (vec![(RETRY_AFTER, NOW), (DATE, later)], Some(0)),
            (vec![(RETRY_AFTER, "99999999999999999999999")], Some(86_400)),
            (vec![(RETRY_AFTER, "-5")], None),
            (vec![(RETRY_AFTER, "soon")], None),
            (vec![(RETRY_AFTER, "")], None),
            (vec![(DATE, later)], None),
        ] {
            assert_eq!(
                asked(&pairs),
                expected.map(Duration::from_secs),
                "{pairs:?}"
            );
        }
    }
}
