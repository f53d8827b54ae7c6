//! The test binaries as steps of a run.

use std::collections::BTreeMap;
use std::process::Command;

use crate::built::{Built, Test};
use crate::failure::{Failure, Outcome};

use super::steps::Step;
use super::tier::Tier;

/// The test binary whose tests start servers and processes. Each of its modules is a step of its own.
const BY_MODULE: &str = "integration-tests it";

/// At providers that other projects make, in a browser.
const AT_OTHER_PROVIDERS: &str = "integration-tests it openid_providers";

/// Has a provider that cannot be installed fail the tests there.
const ALL_PROVIDERS: &str = "TOKEN_CACHE_ALL_PROVIDERS";

/// The number of tests that run at the same time in a step, if it is not that of the processors. Most of their time, the tests of more wait for
/// processes that they pause, kill and start.
const THREADS: [(&str, usize); 7] = [
    // Explores its scenarios on all processors.
    ("integration-tests it model", 1),
    (AT_OTHER_PROVIDERS, 1),
    ("integration-tests it hazards", 3),
    ("integration-tests it refresh_hazards", 3),
    ("integration-tests it near_cache", 3),
    ("integration-tests it backplane", 3),
    ("integration-tests it servers", 3),
];

/// The tests of each step, by the name of the step.
pub(super) struct Suites<'a>(BTreeMap<String, Suite<'a>>);

struct Suite<'a> {
    test: &'a Test,
    /// The names of its tests.
    names: Vec<String>,
}

impl<'a> Suites<'a> {
    /// Asks each test binary for its tests.
    pub(super) fn of(built: &'a Built) -> Outcome<Self> {
        let mut suites = BTreeMap::new();
        for test in built.tests() {
            let whole = name(test);
            let by_module = whole == BY_MODULE;
            let listed = Command::new(&test.executable).arg("--list").output();
            let listed = listed.map_err(Failure::during(&test.name))?.stdout;
            for line in String::from_utf8_lossy(&listed).lines() {
                let Some(name) = line.strip_suffix(": test") else {
                    continue;
                };
                let step = match name.split_once("::") {
                    Some((module, _)) if by_module => format!("{whole} {module}"),
                    _ => whole.clone(),
                };
                let names = Vec::new();
                let suite = suites.entry(step).or_insert(Suite { test, names });
                suite.names.push(name.to_owned());
            }
        }
        Ok(Self(suites))
    }

    /// Returns the names of the tests of a step.
    pub(super) fn names(&self, step: &str) -> &[String] {
        self.0.get(step).map_or(&[], |suite| &suite.names)
    }

    /// Returns the steps that run all tests of a tier.
    pub(super) fn steps(&self, tier: Tier, environment: &[(&str, String)]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (step, suite) in &self.0 {
            let mut command = command(suite.test, environment);
            let left_out = |name: &String| tier.leaves_out(step, name);
            if step.starts_with(BY_MODULE) {
                let names = suite.names.iter().filter(|name| !left_out(name));
                command.arg("--exact").args(names);
            } else {
                // A conformance suite that is not filtered checks that it has run every check.
                command.arg("--exact");
                for name in suite.names.iter().filter(|name| left_out(name)) {
                    command.args(["--skip", name]);
                }
            }
            if let Some((_, threads)) = THREADS.iter().find(|(of, _)| of == step) {
                command.args(["--test-threads", &threads.to_string()]);
            }
            if step == AT_OTHER_PROVIDERS && tier == Tier::Ci {
                command.arg("--include-ignored").env(ALL_PROVIDERS, "1");
            }
            steps.push(Step::tests(step, command));
        }
        steps
    }

    /// Returns the steps that pass `arguments` to every test binary.
    pub(super) fn named(
        built: &Built,
        arguments: &[String],
        environment: &[(&str, String)],
    ) -> Vec<Step> {
        let step = |test: &Test| {
            let mut command = command(test, environment);
            command.args(arguments);
            Step::tests(name(test), command)
        };
        built.tests().iter().map(step).collect()
    }
}

fn name(test: &Test) -> String {
    let package = test.folder.file_name().unwrap_or_default();
    format!("{} {}", package.display(), test.name)
}

fn command(test: &Test, environment: &[(&str, String)]) -> Command {
    let mut command = Command::new(&test.executable);
    command.current_dir(&test.folder);
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    command
}
