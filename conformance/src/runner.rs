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

use crate::{CHECKS, Check, Harness, Met, TOTAL, Violation};

/// After so many checks that did not end in their time, the others of the same store are not started: a store that never answers
/// does not hang a run.
const MOST_UNENDED: usize = 3;

/// Runs the suite on a store: the whole `main` of a test target with `harness = false`.
///
/// It takes the arguments of `cargo test` (a filter, `--exact`, `--list`, …). Each check is a test named
/// `<harness>::<check>`. The last line tells how many were run, how many of them as the negative of an optional part that
/// the store lacks, and how many there are; a run without a filter that is not of all of them fails.
pub fn main(harness: impl Harness) -> ExitCode {
    main_of([Arc::new(harness) as Arc<dyn Harness>])
}

/// Runs the suite on several stores, or on several setups of one: see [`main`].
pub fn main_of(harnesses: impl IntoIterator<Item = Arc<dyn Harness>>) -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = match Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
    {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => return fails(&format!("no runtime to run the checks on: {error}")),
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
    let narrowed = arguments.filter.is_some() || !arguments.skip.is_empty() || arguments.ignored;
    let mut complete = true;
    for case in &cases {
        let shown = case.counts.shown.load(Ordering::SeqCst);
        let absent = case.counts.absent.load(Ordering::SeqCst);
        let failed = case.counts.failed.load(Ordering::SeqCst);
        let run = shown + absent + failed;
        complete &= run == TOTAL;
        if run == 0 && narrowed {
            continue;
        }
        says(&format!(
            "conformance of {}: {run} run, {absent} negative, {failed} failed, {TOTAL} in all",
            case.harness.name(),
        ));
    }
    if !complete && !narrowed {
        return fails("some of the checks were not run");
    }
    if let Ok(runtime) = Arc::try_unwrap(runtime) {
        // A store that blocks a thread of the runtime must not hang the end of the run.
        runtime.shutdown_background();
    }
    conclusion.exit_code()
}

/// A store under test, and how its checks went.
struct Case {
    harness: Arc<dyn Harness>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    shown: AtomicUsize,
    absent: AtomicUsize,
    failed: AtomicUsize,
    unended: AtomicUsize,
}

impl Case {
    fn trials(&self, runtime: &Arc<Runtime>) -> Vec<Trial> {
        CHECKS
            .into_iter()
            .map(|check| self.trial(check, Arc::clone(runtime)))
            .collect()
    }

    fn trial(&self, check: Check, runtime: Arc<Runtime>) -> Trial {
        let (harness, counts) = (Arc::clone(&self.harness), Arc::clone(&self.counts));
        let name = format!("{}::{}", harness.name(), check.name);
        Trial::test(name, move || {
            let met = if counts.unended.load(Ordering::SeqCst) < MOST_UNENDED {
                runtime.block_on(check.run_on(harness))
            } else {
                Err(Violation::new(
                    "a store whose checks end",
                    format!("{MOST_UNENDED} of its checks did not, so this one was not started"),
                ))
            };
            let (count, answer) = match met {
                Ok(Met::Shown) => (&counts.shown, Ok(())),
                Ok(Met::Absent) => (&counts.absent, Ok(())),
                Err(violation) => {
                    if violation.ran_out_of_time() {
                        counts.unended.fetch_add(1, Ordering::SeqCst);
                    }
                    (&counts.failed, Err(Failed::from(violation.to_string())))
                }
            };
            count.fetch_add(1, Ordering::SeqCst);
            answer
        })
    }
}

fn fails(why: &str) -> ExitCode {
    says(why);
    ExitCode::FAILURE
}

fn says(line: &str) {
    // A closed stdout must not fail a run.
    let _ = writeln!(std::io::stdout(), "{line}");
}
