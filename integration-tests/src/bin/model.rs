//! Explores the models of the protocol and of near caches, and prints what refutes the mutants.
//!
//! Without an argument it prints every scenario and its number of states. `--mutant NAME` prints the shortest schedule that refutes the
//! mutant, step by step. `--mutants` prints the mutants' names and faults.

use std::{
    env,
    error::Error,
    fmt::Display,
    io::{self, Write},
    process,
};

use token_cache_integration_tests::{
    model::{Mutant, explore, scenarios},
    near_cache_model::{self, NearCacheMutant, explore_near_cache},
};

/// Maximum number of states. A scenario with more is explored only in part.
const LIMIT: usize = 4_000_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => all(),
        ["--mutants"] => names(),
        ["--mutant", name] => mutant(name),
        _ => Err("usage: model [--mutants | --mutant NAME]".into()),
    };
    if let Err(error) = outcome {
        // If stderr is closed, only the exit code is left to report the failure.
        let _ = writeln!(io::stderr(), "{error}");
        process::exit(1);
    }
}

fn all() -> Result<(), Box<dyn Error>> {
    let mut broken = 0;
    for scenario in scenarios::all() {
        let found = explore(&scenario, LIMIT);
        let size = (found.states, found.choices, found.longest);
        broken += print(&scenario.name, size, found.refuted, found.complete)?;
    }
    for scenario in near_cache_model::scenarios::all() {
        let found = explore_near_cache(&scenario, LIMIT);
        let size = (found.states, found.choices, found.longest);
        let name = format!("near caches: {}", scenario.name);
        broken += print(&name, size, found.refuted, found.complete)?;
    }
    if broken > 0 {
        return Err(
            format!("{broken} scenarios break a promise or were not explored completely").into(),
        );
    }
    Ok(())
}

/// Prints the result of a scenario. Returns the number of problems.
fn print(
    name: &str,
    (states, choices, longest): (usize, usize, usize),
    refuted: Option<impl Display>,
    complete: bool,
) -> io::Result<usize> {
    writeln!(
        io::stdout(),
        "{states:>9} states, {choices:>9} choices, up to {longest:>2} steps: {name}"
    )?;
    let mut broken = 0;
    if let Some(refutation) = refuted {
        broken += 1;
        writeln!(io::stdout(), "{refutation}")?;
    }
    if !complete {
        broken += 1;
        writeln!(io::stdout(), "  not explored completely")?;
    }
    Ok(broken)
}

fn names() -> Result<(), Box<dyn Error>> {
    for mutant in Mutant::ALL {
        writeln!(io::stdout(), "{:<40} {}", mutant.name(), mutant.wrong())?;
    }
    for mutant in NearCacheMutant::ALL {
        writeln!(io::stdout(), "{:<40} {}", mutant.name(), mutant.wrong())?;
    }
    Ok(())
}

fn mutant(name: &str) -> Result<(), Box<dyn Error>> {
    if let Some(mutant) = NearCacheMutant::named(name) {
        return near_cache_mutant(mutant);
    }
    let mutant = Mutant::named(name).ok_or("unknown mutant; `--mutants` lists all names")?;
    let scenario = mutant
        .scenario()
        .ok_or("the mutant names a scenario that does not exist")?;
    writeln!(io::stdout(), "{}: {}", mutant.name(), mutant.wrong())?;
    writeln!(io::stdout(), "{}", scenario.name)?;
    for (number, actor) in scenario.actors.iter().enumerate() {
        writeln!(io::stdout(), "  actor {number}: {}", actor.act)?;
    }
    match explore(&scenario, LIMIT).refuted {
        Some(refutation) => writeln!(io::stdout(), "{refutation}")?,
        None => return Err("no schedule refutes the mutant".into()),
    }
    Ok(())
}

fn near_cache_mutant(mutant: NearCacheMutant) -> Result<(), Box<dyn Error>> {
    let scenario = mutant
        .scenario()
        .ok_or("the mutant names a scenario that does not exist")?;
    writeln!(io::stdout(), "{}: {}", mutant.name(), mutant.wrong())?;
    writeln!(io::stdout(), "near caches: {}", scenario.name)?;
    match explore_near_cache(&scenario, LIMIT).refuted {
        Some(refutation) => writeln!(io::stdout(), "{refutation}")?,
        None => return Err("no schedule refutes the mutant".into()),
    }
    Ok(())
}
