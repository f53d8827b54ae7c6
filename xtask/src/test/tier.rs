//! The tests that `cargo xtask test` leaves to `cargo xtask ci`, because they take minutes.

use crate::failure::{Failure, Outcome};

use super::suites::Suites;

/// The extent of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tier {
    /// The tests that every change must pass, in minutes.
    #[default]
    Change,
    /// Everything.
    Ci,
}

/// Tests that only `ci` runs. Each has a shorter test of the same promise beside it.
struct Long {
    /// The step that runs them in `ci`.
    step: &'static str,
    /// The start of the tests' names.
    tests: &'static str,
}

const LONG: [Long; 11] = [
    // The same checks run on DynamoDB through encryption.
    long("dynamodb-backend conformance", "dynamodb::"),
    // The same checks run on a standalone Redis and on a Cluster; the hazards connect in all ways.
    long("integration-tests redis_conformance", "redis_sentinel::"),
    long("integration-tests redis_conformance", "redis_tls::"),
    long("integration-tests redis_conformance", "redis_unix::"),
    // The same stories run on Redis; storms, sign-outs and dropped callers also on DynamoDB.
    long(REFRESH_HAZARDS, "refresh_hazards::killed::dynamodb::"),
    long(REFRESH_HAZARDS, "refresh_hazards::paused::dynamodb::"),
    long(REFRESH_HAZARDS, "refresh_hazards::provider::dynamodb::"),
    long(REFRESH_HAZARDS, "refresh_hazards::store_lost::dynamodb::"),
    // The same stories run on Redis.
    long(BROWSER, "browser::at_the_certified_provider::dynamodb::"),
    long(BROWSER, "browser::front_channel::dynamodb::"),
    // Waits a minute. The checks of shorter lives run on this store, and this check on every store whose clock a test can move.
    long(
        "conformance tiny_store",
        "tiny::a_not_before_time_of_half_an_hour_lives_to_its_end",
    ),
];

const REFRESH_HAZARDS: &str = "integration-tests it refresh_hazards";
const BROWSER: &str = "integration-tests it browser";

const fn long(step: &'static str, tests: &'static str) -> Long {
    Long { step, tests }
}

/// Checks that the tests that are left out exist, and that each step has others.
pub(super) fn check(suites: &Suites<'_>) -> Outcome {
    Failure::of_findings(
        "the list of long tests",
        &findings(|step| suites.names(step)),
    )
}

fn findings<'a>(names: impl Fn(&str) -> &'a [String]) -> Vec<String> {
    let mut findings = Vec::new();
    for Long { step, tests } in LONG {
        let names = names(step);
        if !names.iter().any(|name| name.starts_with(tests)) {
            findings.push(format!("{step} has no test {tests}"));
        }
        if names.iter().all(|name| Tier::Change.leaves_out(step, name)) {
            findings.push(format!("{step} has only long tests"));
        }
    }
    findings
}

impl Tier {
    /// Returns `true` if this test of a step does not run.
    pub(super) fn leaves_out(self, step: &str, name: &str) -> bool {
        let is_it = |long: &Long| long.step == step && name.starts_with(long.tests);
        self == Self::Change && LONG.iter().any(is_it)
    }

    /// Returns the minutes of a run of torture.
    pub(super) fn minutes(self, in_ci: f64) -> String {
        match self {
            Self::Ci => in_ci.to_string(),
            Self::Change => (in_ci / 5.0).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONG, Tier, findings};

    /// A name of each long test and of a short one.
    fn names() -> Vec<String> {
        let long = LONG.iter().map(|long| format!("{}test", long.tests));
        long.chain(["short".to_owned()]).collect()
    }

    #[test]
    fn a_long_test_that_does_not_exist_is_found() {
        let all = names();
        assert_eq!(findings(|_| &all), Vec::<String>::new());
        let others = &all[1..];
        assert_eq!(findings(|_| others).len(), 1);
        assert!(findings(|_| others)[0].contains(LONG[0].tests));
    }

    #[test]
    fn a_step_that_leaves_everything_to_ci_is_found() {
        let only_long = &names()[..LONG.len()];
        let of = |step: &str| -> &[String] {
            let first = LONG.iter().position(|long| long.step == step);
            let first = first.unwrap_or_default();
            &only_long[first..=first]
        };
        assert!(findings(of).iter().any(|found| found.contains("only long")));
    }

    #[test]
    fn ci_runs_every_test() {
        for long in LONG {
            assert!(Tier::Change.leaves_out(long.step, long.tests));
            assert!(!Tier::Ci.leaves_out(long.step, long.tests));
            assert!(!Tier::Change.leaves_out("another step", long.tests));
        }
    }
}
