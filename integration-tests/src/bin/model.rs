//! Explores the protocol, and prints what refutes its mutants.
//!
//! Without an argument: every scenario, and how many states it has. `--mutant NAME`: the shortest schedule that refutes it,
//! step by step. `--mutants`: their names, and what is wrong with each.

use std::{
    env,
    error::Error,
    io::{self, Write},
    process,
};

use token_cache_integration_tests::model::{Mutant, explore, scenarios};

/// A scenario that has more states than this is not explored whole.
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
        // Without a stderr the exit code has to do.
        let _ = writeln!(io::stderr(), "{error}");
        process::exit(1);
    }
}

fn all() -> Result<(), Box<dyn Error>> {
    let mut broken = 0;
    for scenario in scenarios::all() {
        let found = explore(&scenario, LIMIT);
        writeln!(
            io::stdout(),
            "{:>9} states, {:>9} choices, up to {:>2} steps: {}",
            found.states,
            found.choices,
            found.longest,
            scenario.name
        )?;
        if let Some(refutation) = found.refuted {
            broken += 1;
            writeln!(io::stdout(), "{refutation}")?;
        }
        if !found.complete {
            broken += 1;
            writeln!(io::stdout(), "  not explored whole")?;
        }
    }
    if broken > 0 {
        return Err(format!("{broken} scenarios do not hold").into());
    }
    Ok(())
}

fn names() -> Result<(), Box<dyn Error>> {
    for mutant in Mutant::ALL {
        writeln!(io::stdout(), "{:<40} {}", mutant.name(), mutant.wrong())?;
    }
    Ok(())
}

fn mutant(name: &str) -> Result<(), Box<dyn Error>> {
    let mutant = Mutant::named(name).ok_or("no such mutant; `--mutants` lists them")?;
    let scenario = mutant.scenario().ok_or("the mutant has no scenario")?;
    writeln!(io::stdout(), "{}: {}", mutant.name(), mutant.wrong())?;
    writeln!(io::stdout(), "{}", scenario.name)?;
    for (number, actor) in scenario.actors.iter().enumerate() {
        writeln!(io::stdout(), "  actor {number}: {}", actor.act)?;
    }
    match explore(&scenario, LIMIT).refuted {
        Some(refutation) => writeln!(io::stdout(), "{refutation}")?,
        None => return Err("nothing refutes it".into()),
    }
    Ok(())
}
