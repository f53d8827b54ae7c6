//! Runs a DynamoDB engine (dynoxide) as a process of its own. Prints its endpoint, and serves until standard input ends.

use std::{
    io::{self, Write},
    process::ExitCode,
    thread,
};

use clap::Parser;
use token_cache_integration_tests::servers::{EngineArguments, serve_dynamodb};

fn main() -> ExitCode {
    let arguments = EngineArguments::parse();
    if !arguments.forever {
        thread::spawn(|| {
            // The parent is gone in either case.
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            std::process::exit(0)
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            let said = |address| {
                // Stdout may be closed.
                let _ = writeln!(io::stdout(), "http://{address}");
            };
            runtime
                .block_on(serve_dynamodb(&arguments, said))
                .map_err(|error| error.to_string())
        });
    if let Err(error) = outcome {
        // If stderr is closed, only the exit code is left to report the failure.
        let _ = writeln!(io::stderr(), "{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
