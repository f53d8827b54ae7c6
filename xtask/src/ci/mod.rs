use crate::api;
use crate::command;
use crate::failure::Outcome;
use crate::metadata::Metadata;
use crate::test;

mod direction;
mod features;
mod fuzz;
mod lean;
mod messages;
mod msrv;
mod packages;
mod publishing;
mod second_engine;

/// Additional checks.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Checks known vulnerabilities as well, which needs a network
    #[arg(long)]
    advisories: bool,
}

/// From the cheapest check to the tests.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    command::need_subcommand("hack")?;
    command::need_subcommand("deny")?;
    let metadata = Metadata::read()?;

    direction::check(&metadata)?;
    publishing::check(&metadata)?;
    messages::check(&metadata)?;
    lean::check()?;
    command::run(&mut command::cargo(["fmt", "--all", "--check"]))?;
    deny(arguments.advisories)?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features"];
    command::run(command::cargo(clippy).args(["--", "-D", "warnings"]))?;
    let doc = ["doc", "--no-deps", "--workspace", "--all-features"];
    command::run(command::cargo(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    api::check(&metadata, false)?;
    features::check()?;
    msrv::check(&metadata)?;
    packages::check(&metadata)?;
    second_engine::check()?;
    fuzz::check()?;
    test::run(&test::Arguments::at_all_providers())
}

fn deny(advisories: bool) -> Outcome {
    let deny = [
        "deny",
        "--all-features",
        "check",
        "licenses",
        "bans",
        "sources",
    ];
    command::run(command::cargo(deny).args(advisories.then_some("advisories")))
}

/// The stores, what they have in common, and who refreshes and signs out: each by itself.
const PARTS: [&str; 5] = [
    "token-cache-core",
    "token-cache-redis",
    "token-cache-dynamodb",
    "token-cache-providers",
    "token-cache-sign-out",
];

/// Features only add: each combination of what apps choose among must compile. A store knows neither who refreshes its tokens nor who
/// signs out, so an app's choice of those is tried together with each combination of stores, and apart by themselves.
fn feature_combinations() -> Outcome {
    let combinations = [
        "hack",
        "check",
        "--feature-powerset",
        "--exclude-features",
        "default",
    ];
    let mut together = command::cargo(combinations);
    together.args([
        "--package",
        "token-cache",
        "--group-features",
        "providers,oauth2-5,openidconnect-4,sign-out,axum-0_8,actix-web-4",
        // These pass through to the stores, which try them by themselves.
        "--group-features",
        "redis-1,aws-sdk-dynamodb-1",
    ]);
    command::run(&mut together)?;
    let mut apart = command::cargo(combinations);
    for package in PARTS {
        apart.args(["--package", package]);
    }
    command::run(&mut apart)
}
