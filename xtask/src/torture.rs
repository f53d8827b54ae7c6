use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;

const PACKAGE: &str = "token-cache-integration-tests";
pub(crate) const PROGRAM: &str = "torture";

/// How long, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many minutes to go on
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// The store, instead of a local server that is killed and paused as well
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The plain cache (SET, GET, DEL) instead: the checker must find its violations
    #[arg(long)]
    plain: bool,
}

impl Arguments {
    fn passed_on(&self) -> Vec<String> {
        let mut arguments = vec!["--minutes".to_owned(), self.minutes.to_string()];
        if let Some(store) = &self.store {
            arguments.extend(["--store".to_owned(), store.clone()]);
        }
        if self.plain {
            arguments.push("--plain".to_owned());
        }
        arguments
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if !Metadata::read()?.has_binary(PACKAGE, PROGRAM) {
        return Err(Failure::new(format!("{PACKAGE} has no program {PROGRAM}")));
    }
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
    command::run(command::cargo(run).args(arguments.passed_on()))
}
