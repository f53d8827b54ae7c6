use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

const PACKAGE: &str = "token-cache-integration-tests";
pub(crate) const PROGRAM: &str = "torture";
const ENGINE: &str = "dynamodb_engine";

/// How long, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Passed on, such as `--minutes 10`; `-- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if !Metadata::read()?.has_binary(PACKAGE, PROGRAM) {
        return Err(Failure::new(format!("{PACKAGE} has no program {PROGRAM}")));
    }
    // The store of `--store dynamodb` is a program of its own.
    let build = ["build", "--release", "--quiet", "--package", PACKAGE];
    command::run(command::cargo(build).args(["--bin", PROGRAM, "--bin", ENGINE]))?;
    let run = [
        "run",
        "--release",
        "--quiet",
        "--package",
        PACKAGE,
        "--bin",
        PROGRAM,
        "--",
    ];
    command::run(command::cargo(run).args(&arguments.arguments))
}
