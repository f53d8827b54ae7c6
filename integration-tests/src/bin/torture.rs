//! A fleet under random load and faults, and its whole history checked: exits with 1 where a promise was broken. With
//! `--design` the app servers use one of the usual designs, and it exits with 1 where *nothing* was found: that run is the
//! checker's own test.

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
    /// For how long
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// On this store, to which nothing is done, instead of one of its own
    #[arg(long)]
    url: Option<String>,
    /// How its own store is laid out
    #[arg(long = "store", value_enum, default_value_t = Topology::Standalone)]
    topology: Topology,
    /// What the app servers keep tokens in; with any but token-cache the run succeeds if violations are found
    #[arg(long, value_enum, default_value_t)]
    design: Design,
    /// The app servers keep near caches, all but one, and another's sign-outs wait for nobody
    #[arg(long)]
    near_cache: bool,
    /// How many app servers
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=32))]
    processes: u8,
    /// Repeats a run's choices (not its timing)
    #[arg(long)]
    seed: Option<u64>,
    /// Keeps the app servers' logs in this empty folder
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
            // A closed stderr changes nothing.
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
            "too few reads were answered by copies to say anything of them"
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
            "worst staleness: {after_sign_out:?} after a sign-out; {after_sign_out_at_once:?} after one that waits for nobody ({reads_after_sign_out_at_once} reads); {outdated:?} of a replaced entry"
        )?;
    }
    let shown = if options.design.is_ours() { 20 } else { 3 };
    for violation in report.violations.iter().take(shown) {
        writeln!(out, "  {violation}")?;
    }
    Ok(())
}
