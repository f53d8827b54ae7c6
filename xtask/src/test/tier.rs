//! The tests that `cargo xtask test` leaves to `cargo xtask ci`, because they take minutes.

use std::process::Command;

use crate::built::Built;
use crate::failure::{Failure, Outcome};

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
    /// The test binary.
    binary: &'static str,
    /// A part of the tests' names.
    tests: &'static str,
}

const LONG: [Long; 11] = [
    // The same checks run on DynamoDB through encryption.
    long("conformance", "dynamodb::"),
    // The same checks run on a standalone Redis and on a Cluster; the hazards connect in all ways.
    long("redis_conformance", "redis_sentinel::"),
    long("redis_conformance", "redis_tls::"),
    long("redis_conformance", "redis_unix::"),
    // The same stories run on Redis; storms, sign-outs and dropped callers also on DynamoDB.
    long("refresh_hazards", "killed::dynamodb::"),
    long("refresh_hazards", "paused::dynamodb::"),
    long("refresh_hazards", "provider_down::dynamodb::"),
    long("refresh_hazards", "provider_slow::dynamodb::"),
    long("refresh_hazards", "store_lost::dynamodb::"),
    // The same stories run on Redis.
    long("browser", "at_the_certified_provider::dynamodb::"),
    long("browser", "front_channel::dynamodb::"),
];

const fn long(binary: &'static str, tests: &'static str) -> Long {
    Long { binary, tests }
}

/// Checks that the tests that are left out exist.
pub(super) fn check(built: &Built) -> Outcome {
    let mut findings = Vec::new();
    for Long { binary, tests } in LONG {
        let mut is_there = false;
        for test in built.tests_named(binary) {
            let listed = Command::new(&test.executable).arg("--list").output();
            let listed = listed.map_err(Failure::during(binary))?.stdout;
            is_there |= String::from_utf8_lossy(&listed)
                .lines()
                .any(|line| line.contains(tests));
        }
        if !is_there {
            findings.push(format!("{binary} has no test named {tests}"));
        }
    }
    Failure::of_findings("the list of long tests", &findings)
}

impl Tier {
    /// Returns the parts of names of those tests of a binary that do not run.
    pub(super) fn left_out(self, binary: &str) -> Vec<&'static str> {
        match self {
            Self::Ci => Vec::new(),
            Self::Change => LONG
                .iter()
                .filter(|long| long.binary == binary)
                .map(|long| long.tests)
                .collect(),
        }
    }

    /// Returns the arguments by which a test binary leaves them out.
    pub(super) fn arguments(self, binary: &str) -> Vec<&'static str> {
        let left_out = self.left_out(binary);
        left_out
            .iter()
            .flat_map(|tests| ["--skip", tests])
            .collect()
    }

    /// Returns the filter by which nextest leaves them out, of all binaries.
    pub(super) fn filter(self) -> String {
        let long = |long: &Long| {
            format!(
                " and not (binary({}) and test({}))",
                long.binary, long.tests
            )
        };
        match self {
            Self::Ci => String::new(),
            Self::Change => LONG.iter().map(long).collect(),
        }
    }

    /// Returns the minutes of a run of torture.
    pub(super) fn minutes(self, in_ci: f64) -> String {
        match self {
            Self::Ci => in_ci.to_string(),
            Self::Change => (in_ci / 5.0).to_string(),
        }
    }
}
