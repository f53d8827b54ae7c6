use std::{
    io::Write,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::{Builder, Runtime};

use crate::{CHECKS, Check, Harness, Outcome, Violation};

/// The number of checks of a store that may time out. After that the other checks of the store are not started, so that a store that
/// never answers does not block a run.
const MAX_TIMED_OUT: usize = 3;

/// Runs all [`CHECKS`] on the store of each [`Harness`] in `harnesses`, as tests. The author of a store calls it as the whole `main` of a
/// test target with `harness = false`. Returns the exit code of the process: a failure if a check failed, and success otherwise.
///
/// It takes the arguments of `cargo test`: a filter, `--exact`, `--list` and so on. Each check is a test with the name
/// `<harness>::<check>`. The test of a failed check prints the [`Violation`].
///
/// The last line for each store counts all checks, the checks that were run, and those that failed. It also counts those that passed
/// because the store lacks an optional part ([`Outcome::Unsupported`]). A run without a filter returns a failure if it did not run every
/// check.
///
/// A check times out after two minutes. After three checks of a store timed out, its other checks fail without being started.
pub fn main(harnesses: Vec<Arc<dyn Harness>>) -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = match Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
    {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            return fail(&format!(
                "the checks need a tokio runtime, and it did not start: {error}"
            ));
        }
    };
    let cases: Vec<_> = harnesses
        .into_iter()
        .map(|harness| Case {
            harness,
            counts: Arc::default(),
        })
        .collect();
    let trials = cases
        .iter()
        .flat_map(|case| case.trials(&runtime))
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.list {
        return ExitCode::SUCCESS;
    }
    let total = CHECKS.len();
    let narrowed = arguments.filter.is_some() || !arguments.skip.is_empty() || arguments.ignored;
    let mut complete = true;
    for case in &cases {
        let passed = case.counts.passed.load(Ordering::SeqCst);
        let unsupported = case.counts.unsupported.load(Ordering::SeqCst);
        let failed = case.counts.failed.load(Ordering::SeqCst);
        let run = passed + unsupported + failed;
        complete &= run == total;
        if run == 0 && narrowed {
            continue;
        }
        print(&format!(
            "conformance of {}: {run} run, {unsupported} unsupported, {failed} failed, {total} in all",
            case.harness.name(),
        ));
    }
    if !complete && !narrowed {
        return fail("some of the checks were not run");
    }
    if let Ok(runtime) = Arc::try_unwrap(runtime) {
        // A store that blocks a thread of the runtime must not block the end of the run.
        runtime.shutdown_background();
    }
    conclusion.exit_code()
}

/// A store under test, and the results of its checks.
struct Case {
    harness: Arc<dyn Harness>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    passed: AtomicUsize,
    unsupported: AtomicUsize,
    failed: AtomicUsize,
    timed_out: AtomicUsize,
}

impl Case {
    fn trials(&self, runtime: &Arc<Runtime>) -> Vec<Trial> {
        CHECKS
            .iter()
            .map(|check| self.trial(check, Arc::clone(runtime)))
            .collect()
    }

    fn trial(&self, check: &'static Check, runtime: Arc<Runtime>) -> Trial {
        let (harness, counts) = (Arc::clone(&self.harness), Arc::clone(&self.counts));
        let name = format!("{}::{}", harness.name(), check.name);
        Trial::test(name, move || {
            let outcome = if counts.timed_out.load(Ordering::SeqCst) < MAX_TIMED_OUT {
                runtime.block_on(check.run_on(harness))
            } else {
                Err(Violation::new(
                    "a store whose checks end in time",
                    format!("{MAX_TIMED_OUT} of its checks timed out, so this one was not started"),
                ))
            };
            let (count, answer) = match outcome {
                Ok(Outcome::Passed) => (&counts.passed, Ok(())),
                Ok(Outcome::Unsupported) => (&counts.unsupported, Ok(())),
                Err(violation) => {
                    if violation.ran_out_of_time() {
                        counts.timed_out.fetch_add(1, Ordering::SeqCst);
                    }
                    (&counts.failed, Err(Failed::from(violation.to_string())))
                }
            };
            count.fetch_add(1, Ordering::SeqCst);
            answer
        })
    }
}

fn fail(reason: &str) -> ExitCode {
    print(reason);
    ExitCode::FAILURE
}

fn print(line: &str) {
    // A closed stdout does not fail a run.
    let _ = writeln!(std::io::stdout(), "{line}");
}
