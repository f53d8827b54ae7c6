//! The developer commands: `cargo xtask test`, `ci`, `bench`, `torture`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod built;
mod ci;
mod command;
mod failure;
mod metadata;
mod say;
mod test;
mod torture;

/// The developer commands of token-cache.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything a change must pass: all tests, doctests, the demo, the example, a minute of torture
    Test(test::Arguments),
    /// What CI runs: format, lints, docs, licences, features, MSRV, dependencies, packages, tests
    Ci(ci::Arguments),
    /// Side by side with the raw client: `cargo xtask bench redis --json FILE`
    Bench(bench::Arguments),
    /// The hazard tests in a loop, with a checker over every read
    Torture(torture::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Ci(arguments) => ci::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Torture(arguments) => torture::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::say(&format!("xtask: {failure}"));
            ExitCode::FAILURE
        }
    }
}
