//! The table's clock, as the dates of its answers tell it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use token_cache_core::{Error, ErrorKind, Result, StoreClock, Timestamp};

/// A date tells a whole second.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// How far the clock of each host that answers may be from the service's: the answers come from many, and what an estimate
/// excludes must be excluded for all of them.
const TOLERANCE: Duration = Duration::from_millis(20);

/// What this process knows of the table's clock; every answer adds to it.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<StoreClock>>);

/// An interval that holds the table's clock at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockInterval {
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

impl Clock {
    /// Takes the date of an answer to a request that was sent and answered at these moments.
    pub(crate) fn observe(&self, sent: Instant, received: Instant, date: Timestamp) {
        let (time, precision) = (date - TOLERANCE, SECOND + 2 * TOLERANCE);
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *clock {
            Some(clock) => clock.observe(sent, received, time, precision),
            none => *none = Some(StoreClock::new(sent, received, time, precision)),
        }
    }

    /// What the table's clock says now.
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
                    .message("no answer has a `Date`; does a proxy in between remove it?")
            })
    }
}

impl ClockInterval {
    pub(crate) fn width(&self) -> Duration {
        self.latest.since(self.earliest)
    }

    /// How long it takes until the clock most likely turns a second: what is answered then halves the estimate.
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
        /// Hosts whose clocks differ by less than the tolerance never contradict each other, and the true time lies within what
        /// they tell.
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
