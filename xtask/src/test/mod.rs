use crate::built::Built;
use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

mod binaries;
mod features;
mod held;
pub(crate) mod programs;
mod servers;
mod tier;
mod times;

use self::held::Held;
pub(crate) use self::tier::Tier;
use self::times::Times;

/// Names the DynamoDB that all tests of a run share.
const DYNAMODB: &str = "TOKEN_CACHE_TEST_DYNAMODB";

/// Its checks share servers that take seconds to start: all of them run in one process, where nextest takes one for each.
const SHARING_SERVERS: &str = "redis_conformance";

/// At the certified provider of npm: a step of its own, since it needs Node and npm's registry.
const AT_A_CERTIFIED_PROVIDER: &str = "oidc_provider";

/// In a browser, which is too much beside other tests.
const IN_A_BROWSER: &str = "browser";

/// At providers that other projects make, in a browser.
const AT_OTHER_PROVIDERS: &str = "openid_providers";

/// Has a provider that cannot be installed fail the tests there.
const ALL_PROVIDERS: &str = "TOKEN_CACHE_ALL_PROVIDERS";

const APART: [&str; 4] = [
    SHARING_SERVERS,
    AT_A_CERTIFIED_PROVIDER,
    IN_A_BROWSER,
    AT_OTHER_PROVIDERS,
];

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

/// The last line sums the tests up: nextest's own summary, or ours on a machine without nextest.
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
    tier::check(&built)?;
    let tier = arguments.tier;
    if tier == Tier::Ci {
        command::run(built.program("servers")?.arg("--install-providers"))?;
    }
    let mut servers = built.program("servers")?;
    servers.envs(environment.clone());
    let dynamodb = Held::dynamodb(servers)?;
    environment.push((DYNAMODB, dynamodb.at().to_owned()));
    // A test that fails hides none of those after it.
    let mut failed = Vec::new();
    if arguments.arguments.is_empty() {
        programs::run(&built, &dynamodb, tier, &times)?;
        let doctests = ["test", "--doc", "--workspace"];
        let mut doctests = command::cargo(doctests);
        doctests.args(&features).envs(environment.clone());
        times.of("doctests", || command::run(&mut doctests))?;
        for apart in APART {
            let mut tests = command::cargo(["test", "--workspace", "--test", apart]);
            tests.args(&features).envs(environment.clone()).arg("--");
            tests.args(tier.arguments(apart));
            if apart == AT_OTHER_PROVIDERS && tier == Tier::Ci {
                tests.args(["--include-ignored", "--test-threads", "1"]);
                tests.env(ALL_PROVIDERS, "1");
            }
            failed.extend(times.of(apart, || command::run(&mut tests)).err());
        }
    }
    failed.extend(others(&built, &features, arguments, environment, &times).err());
    let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
    Failure::of_findings("not all tests passed", &failed)
}

/// Runs the tests that run together.
fn others(
    built: &Built,
    features: &[String],
    arguments: &Arguments,
    environment: Vec<(&str, String)>,
    times: &Times,
) -> Outcome {
    let tier = arguments.tier;
    if !command::succeeds(&mut command::cargo(["nextest", "--version"])) {
        let tests = built.tests_but(&APART);
        return binaries::run(&tests, &arguments.arguments, &environment, tier, times);
    }
    let mut apart = format!("not (binary({}))", APART.join(") or binary("));
    if arguments.arguments.is_empty() {
        apart.push_str(&tier.filter());
    }
    let mut nextest = command::cargo(["nextest", "run", "--workspace", "--filterset", &apart]);
    nextest.args(features).args(&arguments.arguments);
    // The summary of nextest comes last.
    times.print();
    command::run(nextest.envs(environment))
}
