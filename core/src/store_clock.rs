use std::time::{Duration, Instant};

use crate::Timestamp;

/// How much a machine's monotonic clock and a store's clock may part, in millionths: both may be slewed.
const DRIFT_PPM: u32 = 1_000;

/// What a server knows of the clock of a store: an interval that holds the store's reading of this moment.
///
/// Its ends rest on the store's answers and this machine's monotonic clock alone; the machine's wall clock has no say.
/// [`TokenCache`](crate::TokenCache) keeps one for its store, fed by [`TokenStore::namespace`](crate::TokenStore::namespace). A
/// store whose answers tell the time too coarsely for one of them to do keeps another, fed by each of its answers, and tells
/// what that comes to.
///
/// ```
/// use std::time::{Duration, Instant};
/// use token_cache_core::{StoreClock, Timestamp};
///
/// // An answer that tells whole seconds, to a request that took 10 ms.
/// let sent = Instant::now();
/// let received = sent + Duration::from_millis(10);
/// let second = Duration::from_secs(1);
/// let mut clock = StoreClock::new(sent, received, Timestamp::from_secs(1_700_000_000), second);
/// assert_eq!(clock.latest(received).since(clock.earliest(received)), Duration::from_millis(1_010));
///
/// // Half a second later it is the next one: the second turned in between.
/// let sent = sent + Duration::from_millis(500);
/// let received = received + Duration::from_millis(500);
/// clock.observe(sent, received, Timestamp::from_secs(1_700_000_001), second);
/// assert!(clock.latest(received).since(clock.earliest(received)) < Duration::from_millis(530));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct StoreClock {
    base: Instant,
    taken: Instant,
    /// Bounds of the store's reading less the time since `base`, in microseconds.
    least: i64,
    most: i64,
}

impl StoreClock {
    /// The estimate after an answer that says `time`, or up to `precision` later, to a request sent and answered at these
    /// moments.
    pub fn new(sent: Instant, received: Instant, time: Timestamp, precision: Duration) -> Self {
        let mut clock = Self {
            base: sent,
            taken: received,
            least: 0,
            most: 0,
        };
        (clock.least, clock.most) = clock.bounds(sent, received, time, precision);
        clock
    }

    /// Narrows the estimate by a further answer; one that contradicts it replaces it (the store's clock was set, or another
    /// server answers).
    pub fn observe(
        &mut self,
        sent: Instant,
        received: Instant,
        time: Timestamp,
        precision: Duration,
    ) {
        let (least, most) = self.bounds(sent, received, time, precision);
        let slack = micros(drift(received.saturating_duration_since(self.taken)));
        let narrowed = (least.max(self.least - slack), most.min(self.most + slack));
        (self.least, self.most) = if narrowed.0 <= narrowed.1 {
            narrowed
        } else {
            (least, most)
        };
        self.taken = received;
    }

    /// The least that the store's clock can say at `at`: where a sign-in stands, and what tokens are stamped with.
    pub fn earliest(&self, at: Instant) -> Timestamp {
        let (elapsed, slack) = self.since(at);
        Timestamp::from_millis((self.least + elapsed - slack).max(0).cast_unsigned() / 1_000)
    }

    /// The most that the store's clock can say at `at`: where a sign-out cuts, and what expiry is measured by.
    pub fn latest(&self, at: Instant) -> Timestamp {
        let (elapsed, slack) = self.since(at);
        Timestamp::from_millis(
            (self.most + elapsed + slack)
                .max(0)
                .cast_unsigned()
                .div_ceil(1_000),
        )
    }

    /// The answer was read at some moment between sending and receiving.
    fn bounds(
        &self,
        sent: Instant,
        received: Instant,
        time: Timestamp,
        precision: Duration,
    ) -> (i64, i64) {
        let time = i64::try_from(time.as_millis())
            .unwrap_or(i64::MAX / 2_000)
            .saturating_mul(1_000);
        let elapsed = |at: Instant| micros(at.saturating_duration_since(self.base));
        (
            time - elapsed(received),
            time + micros(precision) - elapsed(sent),
        )
    }

    fn since(&self, at: Instant) -> (i64, i64) {
        (
            micros(at.saturating_duration_since(self.base)),
            micros(drift(at.saturating_duration_since(self.taken))),
        )
    }
}

fn drift(elapsed: Duration) -> Duration {
    elapsed * DRIFT_PPM / 1_000_000
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn one_answer_bounds_the_clock_by_its_round_trip() {
        let sent = Instant::now();
        let received = sent + 10 * MILLI;
        let clock = StoreClock::new(sent, received, Timestamp::from_millis(5_000), MILLI);
        assert_eq!(clock.earliest(received), Timestamp::from_millis(5_000));
        assert_eq!(clock.latest(received), Timestamp::from_millis(5_011));
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed() {
        let sent = Instant::now();
        let mut clock = StoreClock::new(sent, sent + MILLI, Timestamp::from_millis(900_000), MILLI);
        let later = sent + Duration::from_secs(1);
        clock.observe(later, later + MILLI, Timestamp::from_millis(5_000), MILLI);
        assert_eq!(clock.earliest(later + MILLI), Timestamp::from_millis(5_000));
    }

    proptest! {
        /// Whatever the delays, and however coarse the answers, the true reading lies within the interval.
        #[test]
        fn the_interval_holds_the_true_reading(
            precision in prop_oneof![Just(1u64), Just(1_000), 1u64..3_000],
            offset in 1_000_000u64..2_000_000_000_000,
            exchanges in prop::collection::vec((0u64..2_000_000, 0u64..50_000, 0u64..50_000), 1..20),
            after in 0u64..5_000_000,
        ) {
            let base = Instant::now();
            let store = |elapsed: Duration| Timestamp::from_millis(offset + u64::try_from(elapsed.as_millis()).unwrap());
            let mut elapsed = Duration::ZERO;
            let mut clock: Option<StoreClock> = None;
            for (wait, there, back) in exchanges {
                elapsed += Duration::from_micros(wait);
                let sent = elapsed;
                let read = sent + Duration::from_micros(there);
                elapsed = read + Duration::from_micros(back);
                let told = store(read).as_millis() / precision * precision;
                let (sent, received) = (base + sent, base + elapsed);
                let (time, precise) = (Timestamp::from_millis(told), Duration::from_millis(precision));
                match &mut clock {
                    None => clock = Some(StoreClock::new(sent, received, time, precise)),
                    Some(clock) => clock.observe(sent, received, time, precise),
                }
            }
            let clock = clock.unwrap();
            elapsed += Duration::from_micros(after);
            let truth = store(elapsed);
            prop_assert!(clock.earliest(base + elapsed) <= truth);
            prop_assert!(clock.latest(base + elapsed) >= truth);
        }
    }
}
