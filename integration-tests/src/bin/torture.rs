//! Runs a fleet under random load and faults, and checks its whole history. Exits with 1 if a promise was broken. With `--design` the app
//! servers use one of the usual designs. The run then tests the checker, and exits with 1 if *no* violation was found.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use token_cache_integration_tests::{
    fleet::{self, Design, Program, Random},
    history::Staleness,
    torture::{self, Options, Topology, Tortured},
};

/// The first argument that makes this program one of its own app servers.
const APP_SERVER: &str = "app-server";

#[derive(Parser)]
#[command(about = "A fleet under random load and faults; every read of its history is checked")]
struct Arguments {
    /// Duration of the run
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// URL of an existing store; no faults are applied to it. By default the run starts a store
    #[arg(long)]
    url: Option<String>,
    /// Topology of the store that the run starts
    #[arg(long = "store", value_enum, default_value_t = Topology::Standalone)]
    topology: Topology,
    /// The cache of the app servers. With any other than token-cache the run succeeds if violations are found
    #[arg(long, value_enum, default_value_t)]
    design: Design,
    /// Gives all app servers but one a near cache, and lets the sign-outs of one of them not wait
    #[arg(long)]
    near_cache: bool,
    /// Number of app servers
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=32))]
    processes: u8,
    /// Repeats the random choices of a run, but not its timing
    #[arg(long)]
    seed: Option<u64>,
    /// Stores the app servers' logs in this empty directory
    #[arg(long)]
    logs: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == APP_SERVER).is_some() {
        return fleet::main(arguments);
    }
    match tortured(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // If stderr is closed, only the exit code is left to report the failure.
            let _ = writeln!(io::stderr(), "no result: {error}");
            ExitCode::from(2)
        }
    }
}

fn tortured(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let seed = arguments
        .seed
        .unwrap_or_else(|| Random::unseeded().number());
    let options = Options {
        time: Duration::try_from_secs_f64(arguments.minutes * 60.0)?,
        url: arguments.url,
        topology: arguments.topology,
        design: arguments.design,
        near_cache: arguments.near_cache && arguments.design.is_ours(),
        processes: arguments.processes.into(),
        seed,
        program: Program {
            file: std::env::current_exe()?,
            arguments: vec![APP_SERVER.to_owned()],
        },
        logs: arguments.logs,
    };
    let tortured = torture::run(&options)?;
    let found = !tortured.report.violations.is_empty();
    print(&tortured, &options)?;
    let expected = !options.design.is_ours();
    let idle = options.near_cache && !tortured.near_caches.are_enough(&tortured.report);
    if idle {
        writeln!(
            io::stdout(),
            "near caches answered too few reads for a result"
        )?;
    }
    Ok(if found == expected && !idle {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(tortured: &Tortured, options: &Options) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Tortured {
        store,
        faults,
        report,
        near_caches,
        ..
    } = tortured;
    let cache = options.design.name();
    writeln!(
        out,
        "{} app servers with {cache} on {store}, {:.0} s, seed {}",
        options.processes,
        options.time.as_secs_f64(),
        options.seed
    )?;
    for (what, count) in faults {
        writeln!(out, "{what:<30} {count:>3}")?;
    }
    writeln!(out, "{report}")?;
    if options.near_cache {
        writeln!(out, "{near_caches}")?;
        let Staleness {
            after_sign_out,
            after_sign_out_at_once,
            reads_after_sign_out_at_once,
            outdated,
            ..
        } = report.staleness;
        writeln!(
            out,
            "worst staleness: {after_sign_out:?} after a sign-out; {after_sign_out_at_once:?} after one that does not wait ({reads_after_sign_out_at_once} reads); {outdated:?} of a replaced entry"
        )?;
    }
    let shown = if options.design.is_ours() { 20 } else { 3 };
    for violation in report.violations.iter().take(shown) {
        writeln!(out, "  {violation}")?;
    }
    Ok(())
}
