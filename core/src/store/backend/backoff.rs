use std::time::Duration;

const LONGEST: Duration = Duration::from_millis(500);

/// Returns how long a store waits before it sends a failed request again. A store calls it before each retry. `first` is the longest wait
/// before the first retry. `attempt` is the number of the retry: 0 for the first one, 1 for the second.
///
/// The longest wait is `first`, doubled `attempt` times, but at most half a second. The result is random between half of the longest wait
/// and the longest wait, so that the app servers of a fleet do not retry at the same time.
///
/// ```
/// use std::time::Duration;
/// use token_cache::store::backend::backoff;
///
/// let wait = backoff(Duration::from_millis(10), 1);
/// assert!((Duration::from_millis(10)..=Duration::from_millis(20)).contains(&wait));
/// ```
pub fn backoff(first: Duration, attempt: u32) -> Duration {
    let most = first
        .saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX))
        .min(LONGEST);
    let chance = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    most.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_a_bound() {
        let first = Duration::from_millis(20);
        for attempt in 0..100 {
            let wait = backoff(first, attempt);
            assert!(wait >= first / 2 && wait <= LONGEST, "{attempt}: {wait:?}");
        }
        assert!(backoff(first, 10) > first * 2);
    }
}
