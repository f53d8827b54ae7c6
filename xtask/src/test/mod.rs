use crate::built::Built;
use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;

mod binaries;
mod features;
mod held;
pub(crate) mod programs;
mod servers;
mod steps;
mod suites;
mod tier;
mod times;

use self::held::Held;
use self::steps::Step;
use self::suites::Suites;
pub(crate) use self::tier::Tier;
use self::times::Times;

/// Names the DynamoDB that all tests of a run share.
const DYNAMODB: &str = "TOKEN_CACHE_TEST_DYNAMODB";

/// The longest steps, in the order in which they begin, and their slots. A step that mostly waits takes one slot, one that computes two,
/// and one that others would disturb all.
const ORDER: [(&str, usize); 15] = [
    ("integration-tests it hazards", 1),
    ("integration-tests it model", 2),
    ("integration-tests it refresh_hazards", 1),
    ("dynamodb-backend conformance", 2),
    ("integration-tests it near_cache", 1),
    ("integration-tests it browser", 2),
    ("integration-tests it backplane", 1),
    (DOCTESTS, 2),
    ("integration-tests redis_conformance", 2),
    ("integration-tests it openid_providers", 3),
    ("integration-tests it servers", 1),
    ("integration-tests it refreshes", 1),
    ("integration-tests it oidc_provider", 1),
    ("demo", 1),
    ("examples", 1),
];

const DOCTESTS: &str = "doctests";

/// The tests to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to the test runner: names to run instead of all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    #[arg(skip)]
    tier: Tier,
}

impl Arguments {
    /// All tests, with those that take minutes.
    pub(crate) fn of_ci() -> Self {
        Self {
            tier: Tier::Ci,
            ..Self::default()
        }
    }
}

/// The last lines sum the tests up, and name those that failed.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    servers::need_redis()?;
    servers::need_node()?;
    servers::need_chromium()?;
    let engine = servers::container_engine();
    let features = features::of(&Metadata::read()?, engine.is_some());
    let mut environment: Vec<(&str, String)> = engine
        .into_iter()
        .map(|host| ("DOCKER_HOST", host))
        .collect();

    let times = Times::default();
    let built = times.of("build", || Built::build(&features))?;
    command::run(built.program("servers")?.envs(environment.clone()))?;
    let suites = Suites::of(&built)?;
    tier::check(&suites)?;
    let tier = arguments.tier;
    if tier == Tier::Ci {
        command::run(built.program("servers")?.arg("--install-providers"))?;
    }
    let mut servers = built.program("servers")?;
    servers.envs(environment.clone());
    let dynamodb = Held::dynamodb(servers)?;
    environment.push((DYNAMODB, dynamodb.at().to_owned()));
    let redis = Held::redis(built.program("servers")?)?;
    let steps = if arguments.arguments.is_empty() {
        let mut steps = suites.steps(tier, &environment);
        steps.extend(programs::steps(&built, &redis, &dynamodb, tier)?);
        let mut doctests = command::cargo(["test", "--doc", "--workspace"]);
        doctests.args(&features).envs(environment);
        steps.push(Step::programs(DOCTESTS, vec![doctests]));
        steps::sort(&mut steps, &ORDER)?;
        steps
    } else {
        Suites::named(&built, &arguments.arguments, &environment)
    };
    let sum = times.of("all steps after the build", || steps::run(steps, &times));
    times.print();
    print(&format!(
        "\n{} passed, {} failed, {} ignored",
        sum.passed,
        sum.failed.len(),
        sum.ignored
    ));
    if sum.passed == 0 && sum.failed.is_empty() {
        let asked_for = arguments.arguments.join(" ");
        return Err(Failure::new(format!("no test was run: {asked_for}")));
    }
    Failure::of_findings("tests failed", &sum.failed)
}
