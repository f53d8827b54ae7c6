use std::env;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

const PACKAGE: &str = "token-cache-benchmarks";

/// The program that serves DynamoDB.
const ENGINE: (&str, &str) = ("token-cache-integration-tests", "dynamodb_engine");

const SUITES_WITH_ENGINE: [&str; 3] = ["dynamodb", "refresh", "sign-out"];

/// The suite, and the benchmark's own arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Passed on, such as `redis --json FILE`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if !Metadata::read()?.has_binary(PACKAGE, PACKAGE) {
        return Err(Failure::new(format!(
            "{PACKAGE} has no program of that name"
        )));
    }
    let with_engine = |word: &String| SUITES_WITH_ENGINE.contains(&word.as_str());
    if arguments.arguments.iter().any(with_engine) {
        let engine = ["build", "--release", "--quiet", "--package", ENGINE.0];
        command::run(command::cargo(engine).args(["--bin", ENGINE.1]))?;
    }
    // In the caller's folder: the file that `--json` names is meant from there.
    let here = env::current_dir().map_err(Failure::during("current folder"))?;
    let manifest = command::root().join("Cargo.toml").display().to_string();
    let run = [
        "run",
        "--release",
        "--quiet",
        "--manifest-path",
        &manifest,
        "--package",
        PACKAGE,
    ];
    command::run(
        command::cargo(run)
            .arg("--")
            .args(&arguments.arguments)
            .current_dir(here),
    )
}
