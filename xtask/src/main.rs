//! The developer commands: `cargo xtask test`, `ci`, `api`, `bench`, `prose`, `torture`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api;
mod bench;
mod built;
mod ci;
mod command;
mod failure;
mod metadata;
mod print;
mod prose;
mod rust_files;
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
    /// Everything a change must pass: all tests and doctests, the demo and the examples on each store, what operations cost, two minutes
    /// of torture
    Test(test::Arguments),
    /// Everything that CI runs: format, lints, docs, licences, features, MSRV, dependencies, packages, tests
    Ci(ci::Arguments),
    /// The public API of each published crate: compares it with `api/CRATE.txt`, or writes that file with `--write`
    Api(api::Arguments),
    /// Side by side with the raw client, or with other designs: `cargo xtask bench redis --json FILE`, `… bench dynamodb`, `… bench refresh`, `… bench sign-out`, `… bench near-cache`
    Bench(bench::Arguments),
    /// The language of docs, comments and messages: forbidden phrases, long sentences, and a sample of doc comments to judge
    Prose(prose::Arguments),
    /// The hazard tests in a loop, with a checker over every read
    Torture(torture::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = api::as_rustdoc() {
        return code;
    }
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Ci(arguments) => ci::run(&arguments),
        Command::Api(arguments) => api::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Prose(arguments) => prose::run(&arguments),
        Command::Torture(arguments) => torture::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::print(&format!("xtask: {failure}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, Command};

    #[test]
    fn the_commands_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_a_command_is_passed_on() {
        for line in [
            "torture --minutes 10 --store dynamodb",
            "bench redis --json FILE",
            "test -E all()",
        ] {
            let words = ["cargo xtask"].into_iter().chain(line.split(' '));
            assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
        }
        let ci = Arguments::try_parse_from(["cargo xtask", "ci", "--advisories"]);
        assert!(matches!(ci.map(|ci| ci.command), Ok(Command::Ci(_))));
    }
}
