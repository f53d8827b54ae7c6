//! An estimate of the table's clock from the `Date` of its responses.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use token_cache_core::{Error, ErrorKind, Result, StoreClock, Timestamp};

/// The precision of a `Date`.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The largest difference between the clock of a host and the service's clock. Responses come from many hosts, and the estimate must hold
/// for all of them.
const TOLERANCE: Duration = Duration::from_millis(20);

/// This process's estimate of the table's clock. Every response narrows it.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<StoreClock>>);

/// An interval that contains the time of the table's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockInterval {
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

impl Clock {
    /// Narrows the estimate by the `Date` of a response.
    pub(crate) fn observe(&self, sent: Instant, received: Instant, date: Timestamp) {
        let (time, precision) = (date - TOLERANCE, SECOND + 2 * TOLERANCE);
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *clock {
            Some(clock) => clock.observe(sent, received, time, precision),
            none => *none = Some(StoreClock::new(sent, received, time, precision)),
        }
    }

    /// Returns the time of the table's clock now.
    pub(crate) fn now(&self) -> Result<ClockInterval> {
        let clock = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        clock
            .map(|clock| ClockInterval {
                earliest: clock.earliest(now),
                latest: clock.latest(now),
            })
            .ok_or_else(|| {
                Error::new(ErrorKind::Config, "read the table's clock")
                    .store(crate::STORE)
                    .message("no response had the header `Date`; check whether a proxy in between removes it")
            })
    }
}

impl ClockInterval {
    pub(crate) fn width(&self) -> Duration {
        self.latest.since(self.earliest)
    }

    /// Returns the time until the clock most likely reaches a full second. A response at that time halves the estimate.
    pub(crate) fn until_next_second(&self) -> Duration {
        let middle = self.earliest.as_millis().midpoint(self.latest.as_millis());
        Duration::from_millis(1_000 - middle % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_a_date_there_is_no_time() {
        let error = Clock::default().now().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn it_turns_in_the_middle_of_the_estimate() {
        let reading = ClockInterval {
            earliest: Timestamp::from_millis(10_700),
            latest: Timestamp::from_millis(10_900),
        };
        assert_eq!(reading.until_next_second(), Duration::from_millis(200));
    }

    proptest! {
        /// Hosts whose clocks differ by less than the tolerance never contradict each other, and the estimate contains the true time.
        #[test]
        fn dates_of_many_hosts_hold_the_time(
            offset in 1_000_000_u64..2_000_000_000_000,
            answers in prop::collection::vec((0_u64..400, 0_u64..30, 0_u64..30, 0_u64..40), 1..60),
        ) {
            let base = Instant::now();
            let clock = Clock::default();
            let mut elapsed = 0;
            let mut width = Duration::MAX;
            for (wait, there, back, host) in answers {
                let sent = elapsed + wait;
                let read = sent + there;
                elapsed = read + back;
                let at = |millis| base + Duration::from_millis(millis);
                let hosts = offset + read + host - 20;
                clock.observe(at(sent), at(elapsed), Timestamp::from_secs(hosts / 1_000));
                let estimate = clock.0.lock().unwrap().unwrap();
                let (earliest, latest) = (estimate.earliest(at(elapsed)), estimate.latest(at(elapsed)));
                let truth = Timestamp::from_millis(offset + elapsed);
                prop_assert!(earliest <= truth && truth <= latest);
                let slack = Duration::from_millis(wait + there + back + 2) / 100;
                let now = latest.since(earliest);
                prop_assert!(now <= width.saturating_add(slack + Duration::from_millis(2)));
                width = now;
            }
        }
    }
}
