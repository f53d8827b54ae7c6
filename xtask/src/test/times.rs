//! The times that the steps of a run took.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::print::print;

/// The number of steps that are printed.
const PRINTED: usize = 12;

/// The steps of a run, which may run at the same time.
#[derive(Debug, Default)]
pub(super) struct Times(Mutex<Vec<(String, Duration)>>);

impl Times {
    /// Runs a step, and records how long it took.
    pub(super) fn of<T>(&self, step: &str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push((step.to_owned(), begun.elapsed()));
        done
    }

    /// Prints the slowest steps.
    pub(super) fn print(&self) {
        print("\nthe slowest steps:");
        for (step, time) in self.slowest() {
            print(&format!("{:>6.1} s  {step}", time.as_secs_f64()));
        }
    }

    fn slowest(&self) -> Vec<(String, Duration)> {
        let mut steps = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        steps.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        steps.truncate(PRINTED);
        steps
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PRINTED, Times};

    #[test]
    fn the_slowest_come_first() {
        let times = Times::default();
        for step in 0..20 {
            times.of(&step.to_string(), || ());
        }
        times.of("slow", || std::thread::sleep(Duration::from_millis(20)));
        let slowest = times.slowest();
        assert_eq!(slowest.len(), PRINTED);
        assert_eq!(slowest[0].0, "slow");
    }
}
