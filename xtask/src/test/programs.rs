//! Programs that are not tests but must work: each ends with an error if a promise was broken.

use std::process::{Command, Stdio};

use super::held::Held;
use super::tier::Tier;
use super::times::Times;
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

/// Runs the demo and the examples on each store, counts what DynamoDB is asked for and what a refresh takes, and has the hazards
/// in a loop for a while.
pub(super) fn run(built: &Built, dynamodb: &Held, tier: Tier, times: &Times) -> Outcome {
    times.of("the demo and the examples", || apps(built, dynamodb))?;
    times.of("costs", || costs(built, dynamodb))?;
    for (on, minutes) in TORTURE {
        let mut torture = built.program(torture::PROGRAM)?;
        torture.args(on).args(["--minutes", &tier.minutes(minutes)]);
        let step = format!("torture {}", on.join(" "));
        times.of(&step, || command::run(&mut torture))?;
    }
    Ok(())
}

fn apps(built: &Built, dynamodb: &Held) -> Outcome {
    let held = Held::redis(built.program("servers")?)?;
    let redis = held.at();
    for store in ["memory:", redis, dynamodb.url()] {
        let mut demo = built.program("token-cache-demo")?;
        run_on(
            demo.args(["--json", "--store"]).stdout(Stdio::null()),
            store,
        )?;
    }
    for (feature, store) in [("redis", redis), ("dynamodb", dynamodb.url())] {
        run_on(&mut built.program(&format!("on_{feature}"))?, store)?;
        let app = ["run", "--quiet", "--package", ANY_STORE];
        let mut app = command::cargo(app);
        run_on(app.args(["--features", feature, "--"]), store)?;
    }
    for app in APPS {
        command::run(built.program(app)?.arg("--check"))?;
    }
    Ok(())
}

fn costs(built: &Built, dynamodb: &Held) -> Outcome {
    for suite in COUNTED {
        let mut costs = built.program(COSTS)?;
        costs.args(suite).args(["--quick", "--check"]);
        command::run(costs.env(super::DYNAMODB, dynamodb.at()))?;
    }
    Ok(())
}

/// The store's URL is the last argument.
fn run_on(program: &mut Command, store: &str) -> Outcome {
    command::run(program.arg(store).envs(ENVIRONMENT))
}
