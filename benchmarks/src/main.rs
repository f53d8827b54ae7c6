//! token-cache side by side with the raw client (unpublished).
//!
//! Both sides run in turns in one process, so that other load on the machine affects both. The result is the ratio of a round, and its
//! spread over many rounds. BENCHMARKING.md explains the figures.

mod args;
mod figure;
mod machine;
mod near_cache;
mod refresh;
mod report;
mod rounds;
mod sign_out;
mod vs_dynamodb;
mod vs_redis;

use std::process::ExitCode;

use clap::Parser;
use token_cache_integration_tests::fleet;

use self::args::{Args, Suite};

/// A benchmark ends at the first failure of any kind: a figure of what failed would mean nothing.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The first argument that makes this program one of its own app servers.
const APP_SERVER: &str = "app-server";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == APP_SERVER).is_some() {
        return fleet::main(arguments);
    }
    let args = Args::parse();
    match run(&args) {
        Ok(all_hold) if all_hold || !args.check => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            report::failure(&*error);
            ExitCode::FAILURE
        }
    }
}

/// Runs a suite and reports it. Returns `true` if every goal holds.
fn run(args: &Args) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.workers)
        .enable_all()
        .build()?;
    let figures = runtime.block_on(async {
        match args.suite {
            Suite::Redis => vs_redis::run(args).await,
            Suite::Dynamodb => vs_dynamodb::run(args).await,
            Suite::Refresh => refresh::run(args).await,
            Suite::NearCache => near_cache::run(args).await,
            Suite::SignOut => sign_out::run(args).await,
        }
    })?;
    if figures.is_empty() {
        return Err(format!(
            "no figure of this suite has a name that begins with `{}`",
            args.only
        )
        .into());
    }
    report::table(&figures);
    if let Some(file) = &args.json {
        report::json(&figures, file)?;
    }
    Ok(figures.iter().all(|figure| figure.holds))
}
