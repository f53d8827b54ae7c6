//! Programs that are not tests but must work: each ends with an error if a promise was broken.

use std::process::{Command, Stdio};

use super::held::Held;
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

/// Runs the demo and the examples on each store, counts what DynamoDB is asked for and what a refresh takes, and has the hazards
/// in a loop for a while.
pub(super) fn run(built: &Built, dynamodb: &Held) -> Outcome {
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
    drop(held);
    for app in APPS {
        command::run(built.program(app)?.arg("--check"))?;
    }
    let mut costs = built.program(COSTS)?;
    costs.args(["dynamodb", "--quick", "--check"]);
    command::run(costs.env(super::DYNAMODB, dynamodb.at()))?;
    let mut costs = built.program(COSTS)?;
    let of_refreshes = ["refresh", "--quick", "--check", "--only", "refresh/"];
    command::run(costs.args(of_refreshes))?;
    let mut costs = built.program(COSTS)?;
    let near_cache = [
        "near-cache",
        "--quick",
        "--check",
        "--only",
        "near-cache/messages",
    ];
    command::run(costs.args(near_cache))?;
    for of_sign_outs in ["sign-out/requests", "sign-out/bodies"] {
        let mut costs = built.program(COSTS)?;
        let of_sign_outs = ["sign-out", "--quick", "--check", "--only", of_sign_outs];
        command::run(costs.args(of_sign_outs))?;
    }
    command::run(built.program(torture::PROGRAM)?.args(["--minutes", "1"]))?;
    let on_dynamodb = ["--store", "dynamodb", "--minutes", "0.5"];
    command::run(built.program(torture::PROGRAM)?.args(on_dynamodb))?;
    let with_near_cache = ["--near-cache", "--minutes", "0.35"];
    command::run(built.program(torture::PROGRAM)?.args(with_near_cache))?;
    for broken in ["caches-without-lease", "counters-read-late"] {
        let with_broken_near_cache = ["--design", broken, "--minutes", "0.25"];
        command::run(
            built
                .program(torture::PROGRAM)?
                .args(with_broken_near_cache),
        )?;
    }
    Ok(())
}

/// The store's URL is the last argument.
fn run_on(program: &mut Command, store: &str) -> Outcome {
    command::run(program.arg(store).envs(ENVIRONMENT))
}
