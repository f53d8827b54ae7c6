//! Programs that are not tests but must work: each ends with an error if a promise was broken.

use std::process::Command;

use super::held::Held;
use super::steps::Step;
use super::tier::Tier;
use crate::built::Built;
use crate::command;
use crate::failure::Outcome;
use crate::torture;

/// The environment of every program. No test server checks the credentials.
pub(crate) const ENVIRONMENT: [(&str, &str); 3] = [
    (
        "TOKEN_CACHE_SECRET",
        "only for a test: a secret of over 32 bytes",
    ),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
];

/// The same app on every store: another feature, another URL, and nothing else.
const ANY_STORE: &str = "token-cache-example-any-store";

/// Apps that drive themselves: a sign-out at the one server is final at the other, wherever the ticket is kept.
const APPS: [&str; 3] = [
    "token-cache-example-axum-tower-sessions",
    "token-cache-example-axum-signed-cookies",
    "token-cache-example-actix-session",
];

/// The package of the benchmarks. With `--check` a benchmark fails in these cases:
///
/// - an operation takes more requests or capacity than the protocol says;
/// - a storm of refreshes asks a provider more than once;
/// - a sign-out that removes near caches sends more messages than it must;
/// - a message that the provider never sent ends a session.
const COSTS: &str = "token-cache-benchmarks";

/// The benchmarks that count requests, calls and messages.
const COUNTED: [&[&str]; 5] = [
    &["dynamodb"],
    &["refresh", "--only", "refresh/"],
    &["near-cache", "--only", "near-cache/messages"],
    &["sign-out", "--only", "sign-out/requests"],
    &["sign-out", "--only", "sign-out/bodies"],
];

/// The runs of torture, with their minutes in `ci`. Those of a broken design end as soon as its fault is found.
const TORTURE: [(&[&str], f64); 5] = [
    (&[], 2.0),
    (&["--store", "dynamodb"], 1.0),
    (&["--near-cache"], 1.0),
    (&["--design", "caches-without-lease"], 0.5),
    (&["--design", "counters-read-late"], 0.5),
];

/// Returns the steps of programs: the demo and the examples on each store, the counts of requests, calls and messages, and torture.
pub(super) fn steps(
    built: &Built,
    redis: &Held,
    dynamodb: &Held,
    tier: Tier,
) -> Outcome<Vec<Step>> {
    let mut steps = vec![
        Step::programs("demo", demo(built, redis, dynamodb)?).quiet(),
        Step::programs("examples", examples(built, redis, dynamodb, tier)?),
    ];
    for suite in COUNTED {
        let mut costs = built.program(COSTS)?;
        costs.args(suite).args(["--quick", "--check"]);
        costs.env(super::DYNAMODB, dynamodb.at());
        steps.push(Step::programs(
            format!("costs {}", suite.join(" ")),
            vec![costs],
        ));
    }
    for (on, minutes) in TORTURE {
        let mut torture = built.program(torture::PROGRAM)?;
        torture.args(on).args(["--minutes", &tier.minutes(minutes)]);
        steps.push(Step::programs(
            format!("torture {}", on.join(" ")),
            vec![torture],
        ));
    }
    Ok(steps)
}

fn demo(built: &Built, redis: &Held, dynamodb: &Held) -> Outcome<Vec<Command>> {
    let mut commands = Vec::new();
    for store in ["memory:", redis.at(), dynamodb.url()] {
        let mut demo = built.program("token-cache-demo")?;
        demo.args(["--json", "--store", store]).envs(ENVIRONMENT);
        commands.push(demo);
    }
    Ok(commands)
}

/// In `ci`, the app for any store is built anew for each store, with no other feature.
fn examples(built: &Built, redis: &Held, dynamodb: &Held, tier: Tier) -> Outcome<Vec<Command>> {
    let mut commands = Vec::new();
    for (feature, store) in [("redis", redis.at()), ("dynamodb", dynamodb.url())] {
        commands.push(built.program(&format!("on_{feature}"))?);
        let alone = [
            "run",
            "--quiet",
            "--package",
            ANY_STORE,
            "--features",
            feature,
            "--",
        ];
        commands.push(match tier {
            Tier::Change => built.program(ANY_STORE)?,
            Tier::Ci => command::cargo(alone),
        });
        for command in commands.iter_mut().rev().take(2) {
            command.arg(store).envs(ENVIRONMENT);
        }
    }
    for app in APPS {
        let mut app = built.program(app)?;
        app.arg("--check");
        commands.push(app);
    }
    Ok(commands)
}
