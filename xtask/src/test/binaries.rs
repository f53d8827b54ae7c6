//! Runs test binaries without nextest: all of them, whatever fails, with one sum at the end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::built::Test;
use crate::failure::{Failure, Outcome};
use crate::print::print;

use super::tier::Tier;
use super::times::Times;

/// A binary in which no test ends for this long hangs, and is stopped. nextest allows a test the same time (`.config/nextest.toml`).
const SILENCE: Duration = Duration::from_secs(300);

/// How often it is asked whether a binary has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// The number of binaries that run at the same time. Half of the tests wait for a lease or a server most of the time.
const AT_ONCE: usize = 2;

/// Runs each binary with `arguments`, and prints its output when it has ended. Without `arguments`, what `tier` leaves to `ci` does not run.
///
/// # Errors
/// Names each test that failed. It is an error as well if `arguments` leave no test to run, or if a test that is left out does not exist.
pub(super) fn run(
    tests: &[&Test],
    arguments: &[String],
    environment: &[(&str, String)],
    tier: Tier,
    times: &Times,
) -> Outcome {
    let begun = Instant::now();
    let sum = Mutex::new(Report::default());
    let waiting = Mutex::new(slowest_first(tests).into_iter());
    let next = || lock(&waiting).next();
    thread::scope(|workers| {
        for _ in 0..AT_ONCE {
            workers.spawn(|| {
                while let Some(test) = next() {
                    let left_out = if arguments.is_empty() {
                        tier.arguments(&test.name)
                    } else {
                        Vec::new()
                    };
                    let mut command = Command::new(&test.executable);
                    command.current_dir(&test.folder).args(arguments);
                    command.args(&left_out);
                    command.envs(environment.iter().map(|(name, value)| (*name, value)));
                    let mut output = vec![format!("\n» {}", test.name)];
                    let show = |line: &str| output.push(line.to_owned());
                    let report = times.of(&test.name, || run_one(&mut command, SILENCE, show));
                    let report = report.unwrap_or_else(|failure| Report {
                        failed: vec![failure.to_string()],
                        ..Report::default()
                    });
                    print(&output.join("\n"));
                    lock(&sum).add(&test.name, report);
                }
            });
        }
    });
    times.print();
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    print(&format!(
        "\n{} passed, {} failed, {} ignored in {} test binaries, in {} s",
        sum.passed,
        sum.failed.len(),
        sum.ignored,
        tests.len(),
        begun.elapsed().as_secs(),
    ));
    if sum.passed == 0 && sum.failed.is_empty() {
        let asked_for = arguments.join(" ");
        return Err(Failure::new(format!("no test was run: {asked_for}")));
    }
    Failure::of_findings("tests failed", &sum.failed)
}

/// The binaries of the integration tests take longest, so none of them is begun when everything else has ended.
fn slowest_first<'a>(tests: &[&'a Test]) -> Vec<&'a Test> {
    let mut tests = tests.to_vec();
    tests.sort_by_key(|test| !test.folder.ends_with("integration-tests"));
    tests
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The totals that one or more test binaries printed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    passed: usize,
    ignored: usize,
    /// The tests that failed, or why the binary itself failed.
    failed: Vec<String>,
    /// `true` if the binary printed its closing line.
    complete: bool,
}

impl Report {
    fn add(&mut self, name: &str, other: Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
        let failed = other
            .failed
            .into_iter()
            .map(|failed| format!("{name}: {failed}"));
        self.failed.extend(failed);
    }

    /// Reads one line of the output that `libtest` and `libtest-mimic` share.
    fn read(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failed.push(name.to_owned());
        }
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        self.complete = true;
        for count in counts.split(['.', ';']).map(str::trim) {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "ignored")) => self.ignored += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// Runs one binary, and passes each line that it prints to `show`.
fn run_one(
    command: &mut Command,
    silence: Duration,
    mut show: impl FnMut(&str),
) -> Outcome<Report> {
    let what = command.get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Failure::during(&what))?;
    let output = child
        .stdout
        .take()
        .ok_or_else(|| Failure::new(format!("{what}: no output")))?;
    let lines = lines(output);
    let mut report = Report::default();
    let mut heard = Instant::now();
    let status = loop {
        // Asked first, so that what the binary printed before it ended is read below.
        let ended = child.try_wait().map_err(Failure::during(&what))?;
        while let Ok(line) = lines.recv_timeout(PAUSE) {
            show(&line);
            report.read(&line);
            heard = Instant::now();
        }
        if let Some(status) = ended {
            break status;
        }
        if heard.elapsed() >= silence {
            child.kill().map_err(Failure::during(&what))?;
            let seconds = silence.as_secs();
            report
                .failed
                .push(format!("stopped: no test ended for {seconds} s"));
            break child.wait().map_err(Failure::during(&what))?;
        }
    };
    if report.failed.is_empty() && !(status.success() && report.complete) {
        report
            .failed
            .push(format!("ended before its tests did: {status}"));
    }
    Ok(report)
}

/// Returns the lines of `output` as they arrive. They may continue after the binary has ended, because a process that a test started may
/// still hold the pipe.
fn lines(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::{Report, run_one};

    const LONG: Duration = Duration::from_secs(60);

    /// These lines would count in the run that this test is part of.
    fn unseen(_: &str) {}

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn passed_failed_and_ignored_tests_are_counted() {
        let script = "echo 'test a::b ... ok'; echo 'test a::c ... FAILED'; \
            echo 'test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 4 filtered out; finished in 0.10s'; exit 101";
        let expected = Report {
            passed: 12,
            ignored: 3,
            failed: vec!["a::c".to_owned()],
            complete: true,
        };
        assert_eq!(
            run_one(&mut shell(script), LONG, unseen).ok(),
            Some(expected)
        );
    }

    #[test]
    fn a_binary_that_dies_before_its_tests_end_has_failed() {
        for script in [
            "exit 0",
            "kill -9 $$",
            "echo 'test result: ok. 1 passed; 0 failed'; exit 1",
        ] {
            let report = run_one(&mut shell(script), LONG, unseen).unwrap_or_default();
            assert_eq!(report.failed.len(), 1, "{script}: {report:?}");
            assert!(
                report.failed.concat().contains("ended before"),
                "{report:?}"
            );
        }
    }

    #[test]
    fn a_binary_that_hangs_is_stopped() {
        let begun = Instant::now();
        let report = run_one(
            &mut shell("exec sleep 60"),
            Duration::from_millis(200),
            unseen,
        );
        let failed = report.unwrap_or_default().failed.concat();
        assert!(failed.contains("no test ended"), "{failed}");
        assert!(begun.elapsed() < LONG);
    }

    #[test]
    fn a_process_that_a_test_left_behind_holds_up_nothing() {
        let begun = Instant::now();
        let script = "sleep 60 & echo 'test result: ok. 1 passed; 0 failed; 0 ignored'";
        let report = run_one(&mut shell(script), LONG, unseen).unwrap_or_default();
        assert_eq!((report.passed, report.failed.len()), (1, 0));
        assert!(begun.elapsed() < LONG);
    }
}
