use std::env;

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

const PACKAGE: &str = "token-cache-benchmarks";

/// Which store, and the benchmark's own arguments.
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
