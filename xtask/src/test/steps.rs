//! The steps of a run after the build: test binaries and programs, several at the same time.

use std::process::Command;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Outcome};
use crate::print::print;

use super::binaries::{Report, run_one};
use super::times::Times;

/// The number of slots of steps that run at the same time. A step that waits for a lease or a server most of the time takes one slot, and one that computes takes two.
const SLOTS: usize = 3;

/// A binary in which no test ends for this long hangs, and is stopped.
const SILENCE: Duration = Duration::from_secs(300);

/// Commands that run one after another, and end with an error if a promise is broken.
#[derive(Debug)]
pub(super) struct Step {
    name: String,
    commands: Vec<Command>,
    slots: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Test binaries. They print how many tests passed.
    Tests,
    /// Programs.
    Programs,
    /// Programs whose output is of interest only if they fail.
    Quiet,
}

impl Step {
    pub(super) fn tests(name: impl Into<String>, command: Command) -> Self {
        Self::new(name.into(), vec![command], Kind::Tests)
    }

    pub(super) fn programs(name: impl Into<String>, commands: Vec<Command>) -> Self {
        Self::new(name.into(), commands, Kind::Programs)
    }

    pub(super) fn quiet(mut self) -> Self {
        self.kind = Kind::Quiet;
        self
    }

    fn new(name: String, commands: Vec<Command>, kind: Kind) -> Self {
        Self {
            name,
            commands,
            slots: 1,
            kind,
        }
    }

    fn run(mut self) -> Report {
        let mut sum = Report::default();
        let mut output = vec![format!("\n» {}", self.name)];
        for command in &mut self.commands {
            let is_tests = self.kind == Kind::Tests;
            let silence = if is_tests { SILENCE } else { Duration::MAX };
            let show = |line: &str| output.push(line.to_owned());
            let report = match run_one(command, silence, is_tests, show) {
                Ok(report) => report,
                Err(failure) => Report::of_failure(failure.to_string()),
            };
            sum.add(&self.name, report);
        }
        if self.kind == Kind::Quiet && sum.failed.is_empty() {
            output.truncate(1);
        }
        print(&output.join("\n"));
        sum
    }
}

/// Puts the steps that `order` names first, in its order and with its slots. The others take one slot.
///
/// # Errors
/// Names the steps of `order` that do not exist.
pub(super) fn sort(steps: &mut [Step], order: &[(&str, usize)]) -> Outcome {
    let place = |name: &str| order.iter().position(|(ordered, _)| *ordered == name);
    for step in steps.iter_mut() {
        step.slots = place(&step.name).map_or(1, |place| order[place].1);
    }
    steps.sort_by_key(|step| place(&step.name).unwrap_or(order.len()));
    let missing = order.iter().map(|(name, _)| (*name).to_owned());
    let missing = missing.filter(|name| steps.iter().all(|step| step.name != *name));
    Failure::of_findings("the order of the steps", &missing.collect::<Vec<_>>())
}

/// The steps that have not begun, and the slots that are free.
struct Waiting {
    steps: Vec<Step>,
    free: usize,
}

/// Runs all steps, whatever fails, and returns the sum of their reports. The first step that fits begins first.
pub(super) fn run(steps: Vec<Step>, times: &Times) -> Report {
    let sum = Mutex::new(Report::default());
    let waiting = Mutex::new(Waiting { steps, free: SLOTS });
    let freed = Condvar::new();
    thread::scope(|workers| {
        for _ in 0..SLOTS {
            workers.spawn(|| {
                while let Some(step) = next(&waiting, &freed) {
                    let (name, slots) = (step.name.clone(), step.slots);
                    let report = times.of(&name, || step.run());
                    lock(&sum).merge(report);
                    lock(&waiting).free += slots;
                    freed.notify_all();
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the slots of a step. Returns `None` if all steps have begun.
fn next(waiting: &Mutex<Waiting>, freed: &Condvar) -> Option<Step> {
    let mut held = lock(waiting);
    loop {
        if held.steps.is_empty() {
            return None;
        }
        let free = held.free;
        if let Some(first) = held.steps.iter().position(|step| step.slots <= free) {
            let step = held.steps.remove(first);
            held.free -= step.slots;
            return Some(step);
        }
        held = freed.wait(held).unwrap_or_else(PoisonError::into_inner);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Step, run, sort};
    use crate::test::times::Times;

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn every_step_runs_whatever_fails() {
        let one = "echo 'test result: ok. 1 passed; 0 failed; 0 ignored'";
        let mut steps: Vec<_> = (0..5)
            .map(|step| Step::tests(step.to_string(), shell(one)))
            .collect();
        steps.push(Step::tests("dies", shell("exit 1")));
        steps.push(Step::programs(
            "ends",
            vec![shell("exit 0"), shell("exit 0")],
        ));
        steps.push(Step::programs("fails", vec![shell("exit 1"), shell("exit 0")]).quiet());
        sort(&mut steps, &[("fails", 2), ("dies", 3), ("2", 1)]).unwrap();
        let order: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(order[..4], ["fails", "dies", "2", "0"]);

        assert!(sort(&mut steps, &[("another", 1)]).is_err());

        let report = run(steps, &Times::default());
        assert_eq!(report.passed, 5);
        let mut failed = report.failed;
        failed.sort();
        assert!(failed[0].starts_with("dies: "), "{failed:?}");
        assert!(failed[1].starts_with("fails: "), "{failed:?}");
        assert_eq!(failed.len(), 2);
    }
}
