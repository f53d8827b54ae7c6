use crate::api;
use crate::command;
use crate::failure::Outcome;
use crate::metadata::Metadata;
use crate::prose;
use crate::test;

mod direction;
mod examples;
mod features;
mod fuzz;
mod layers;
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
    examples::check()?;
    layers::check()?;
    prose::run(&prose::Arguments::default())?;
    lean::check()?;
    fuzz::check_lock()?;
    command::run(&mut command::cargo(["fmt", "--all", "--check"]))?;
    deny(arguments.advisories)?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features"];
    command::run(command::cargo(clippy).args(["--", "-D", "warnings"]))?;
    let doc = ["doc", "--no-deps", "--workspace", "--all-features"];
    command::run(command::cargo(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    api::check(&metadata, false)?;
    features::check(&metadata)?;
    msrv::check(&metadata)?;
    packages::check(&metadata)?;
    second_engine::check()?;
    fuzz::check()?;
    test::run(&test::Arguments::of_ci())
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
