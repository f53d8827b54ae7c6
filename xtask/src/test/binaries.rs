//! Runs a command, and reads the totals that test binaries print.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// How often it is asked whether a command has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// The totals that one or more test binaries printed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) passed: usize,
    pub(super) ignored: usize,
    /// The tests that failed, or why the binary itself failed.
    pub(super) failed: Vec<String>,
    /// `true` if the binary printed its closing line.
    complete: bool,
}

impl Report {
    pub(super) fn of_failure(why: String) -> Self {
        Self {
            failed: vec![why],
            ..Self::default()
        }
    }

    /// Adds the report of a part of `step`.
    pub(super) fn add(&mut self, step: &str, other: Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
        let failed = other.failed.into_iter();
        self.failed
            .extend(failed.map(|failed| format!("{step}: {failed}")));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
        self.failed.extend(other.failed);
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

/// Runs a command, and passes each line that it prints to `show`. If it prints nothing for `silence`, it is stopped. A command that runs
/// tests must print their totals.
pub(super) fn run_one(
    command: &mut Command,
    silence: Duration,
    is_tests: bool,
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
    let complete = report.complete || !is_tests;
    if report.failed.is_empty() && !(status.success() && complete) {
        let why = if is_tests {
            "ended before its tests did"
        } else {
            "failed"
        };
        report.failed.push(format!("{what} {why}: {status}"));
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
            run_one(&mut shell(script), LONG, true, unseen).ok(),
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
            let report = run_one(&mut shell(script), LONG, true, unseen).unwrap_or_default();
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
            true,
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
        let report = run_one(&mut shell(script), LONG, true, unseen).unwrap_or_default();
        assert_eq!((report.passed, report.failed.len()), (1, 0));
        assert!(begun.elapsed() < LONG);
    }
}
