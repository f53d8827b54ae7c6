use std::time::{Duration, Instant};

use crate::Timestamp;

/// The greatest drift between a machine's monotonic clock and a store's clock, in parts per million: both may be slewed.
const DRIFT_PPM: u32 = 1_000;

/// An estimate of a store's clock: an interval that contains the time that the store's clock shows now.
///
/// It is computed from readings of the clock in the store's answers, and from the monotonic clock of this machine. The machine's wall clock
/// has no effect. A [`TokenCache`](crate::TokenCache) has one for its store, and updates it by each call of
/// [`TokenStore::namespace`](crate::TokenStore::namespace).
///
/// The type is public for stores whose answers contain only coarse readings, such as whole seconds. Such a store has an estimate of its
/// own, updates it by each of its answers, and returns the result from `namespace`.
///
/// ```
/// use std::time::{Duration, Instant};
/// use token_cache::{Timestamp, store::StoreClock};
///
/// // An answer that tells whole seconds, to a request that took 10 ms.
/// let sent = Instant::now();
/// let received = sent + Duration::from_millis(10);
/// let second = Duration::from_secs(1);
/// let mut clock = StoreClock::new(sent, received, Timestamp::from_secs(1_700_000_000), second);
/// assert_eq!(clock.latest(received).since(clock.earliest(received)), Duration::from_millis(1_010));
///
/// // Half a second later the answer shows the next second: it began in between.
/// let sent = sent + Duration::from_millis(500);
/// let received = received + Duration::from_millis(500);
/// clock.observe(sent, received, Timestamp::from_secs(1_700_000_001), second);
/// assert!(clock.latest(received).since(clock.earliest(received)) < Duration::from_millis(530));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct StoreClock {
    base: Instant,
    taken: Instant,
    /// The bounds of the store's reading minus the time since `base`, in microseconds.
    least: i64,
    most: i64,
}

impl StoreClock {
    /// Creates an estimate from the first answer of the store. `sent` and `received` are the instants on this machine at which the request
    /// was sent and its answer arrived.
    ///
    /// `time` is the reading of the store's clock in the answer. When the store took the reading, its clock showed a time from `time` to
    /// `time` plus `precision`.
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

    /// Narrows the interval in which the store's time lies, by a later answer of the store. The parameters are those of
    /// [`new`](Self::new).
    ///
    /// If the new answer contradicts the interval, it alone gives a new one. This happens if the store's clock was set, or if another
    /// server of the store answered.
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

    /// Returns the earliest time that the store's clock can show at the instant `at` of this machine. Pass the present instant, or
    /// a later one. For an instant before the last answer of the store that [`observe`](Self::observe) took, the result can be wrong: later
    /// than the time that the store's clock showed.
    ///
    /// Use it for a time from which a lifetime is counted, such as the time of a sign-in or of a token request. The computed end of the
    /// lifetime is then never later than the true one.
    pub fn earliest(&self, at: Instant) -> Timestamp {
        let (elapsed, slack) = self.since(at);
        Timestamp::from_millis((self.least + elapsed - slack).max(0).cast_unsigned() / 1_000)
    }

    /// Returns the latest time that the store's clock can show at the instant `at` of this machine. Pass the present instant, or a
    /// later one. For an instant before the last answer of the store that [`observe`](Self::observe) took, the result can be wrong: earlier
    /// than the time that the store's clock showed.
    ///
    /// Use it for the cutoff time of a sign-out, and to decide what has expired. The sign-out then ends every session that began before it,
    /// and an expired entry is never returned.
    pub fn latest(&self, at: Instant) -> Timestamp {
        let (elapsed, slack) = self.since(at);
        Timestamp::from_millis(
            (self.most + elapsed + slack)
                .max(0)
                .cast_unsigned()
                .div_ceil(1_000),
        )
    }

    /// Returns the bounds from one answer, which was read at some time between `sent` and `received`.
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
        /// The true reading is always within the interval, for all delays and precisions.
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
