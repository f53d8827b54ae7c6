//! Every scenario holds in all its schedules, and every mutant is refuted.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::{sync::Mutex, thread, time::Instant};

use token_cache_integration_tests::{
    local_model::{self, LocalMutant, explore_local},
    model::{Mutant, explore, scenarios},
};

/// No scenario has as many states; one that does is not explored whole, and fails.
const LIMIT: usize = 2_000_000;

#[test]
fn every_schedule_keeps_the_promises() {
    let started = Instant::now();
    let found = explore_all(scenarios::all(), explore);
    let mut broken = Vec::new();
    for (scenario, found) in &found {
        println!("{:>7} states: {}", found.states, scenario.name);
        if let Some(refutation) = &found.refuted {
            broken.push(format!("{}\n{refutation}", scenario.name));
        }
        if !found.complete {
            broken.push(format!("{} is not explored whole", scenario.name));
        }
    }
    let states: usize = found.iter().map(|(_, found)| found.states).sum();
    println!("{states} states in {:?}", started.elapsed());
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn every_mutant_is_refuted() {
    let mutants = Mutant::ALL.iter().map(|mutant| {
        mutant
            .scenario()
            .unwrap_or_else(|| panic!("{} names no scenario", mutant.name()))
    });
    let found = explore_all(mutants.collect(), explore);
    let survivors: Vec<&str> = Mutant::ALL
        .iter()
        .zip(&found)
        .filter(|(_, (_, found))| found.refuted.is_none())
        .map(|(mutant, _)| mutant.name())
        .collect();
    assert!(survivors.is_empty(), "nothing refutes {survivors:?}");
}

/// A fault is needed for what only a fault shows: without one, a late duplicate does no harm even to a store that it could.
#[test]
fn what_only_a_fault_shows_is_not_seen_without() {
    let faultless = |mutant: Mutant| {
        let mut scenario = mutant.scenario()?;
        scenario.faults = 0;
        Some(explore(&scenario, LIMIT).refuted.is_some())
    };
    for mutant in [
        Mutant::RetryWithTheSameEpoch,
        Mutant::BeginDeliveredTwice,
        Mutant::BeginUnconditional,
        Mutant::FailureSwallowed,
        Mutant::DuplicateEndsNewer,
        Mutant::CutUnconditional,
    ] {
        assert_eq!(faultless(mutant), Some(false), "{}", mutant.name());
    }
}

#[test]
fn every_schedule_of_local_copies_keeps_the_promises() {
    let started = Instant::now();
    let found = explore_all(local_model::scenarios::all(), explore_local);
    let mut broken = Vec::new();
    for (scenario, found) in &found {
        println!("{:>7} states: {}", found.states, scenario.name);
        if let Some(refutation) = &found.refuted {
            broken.push(format!("{}\n{refutation}", scenario.name));
        }
        if !found.complete {
            broken.push(format!("{} is not explored whole", scenario.name));
        }
    }
    let states: usize = found.iter().map(|(_, found)| found.states).sum();
    println!("{states} states in {:?}", started.elapsed());
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn every_mutant_of_local_copies_is_refuted() {
    let mutants = LocalMutant::ALL.iter().map(|mutant| {
        mutant
            .scenario()
            .unwrap_or_else(|| panic!("{} names no scenario", mutant.name()))
    });
    let found = explore_all(mutants.collect(), explore_local);
    let survivors: Vec<&str> = LocalMutant::ALL
        .iter()
        .zip(&found)
        .filter(|(_, (_, found))| found.refuted.is_none())
        .map(|(mutant, _)| mutant.name())
        .collect();
    assert!(survivors.is_empty(), "nothing refutes {survivors:?}");
}

/// Explores them on all processors; the answers come in order.
fn explore_all<S: Send, F: Send>(
    scenarios: Vec<S>,
    explore: impl Fn(&S, usize) -> F + Sync,
) -> Vec<(S, F)> {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let next = Mutex::new(scenarios.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, scenario)) = take(&next, Iterator::next) {
                    let found = explore(&scenario, LIMIT);
                    take(&done, |done| done.push((number, scenario, found)));
                }
            });
        }
    });
    let mut done = take(&done, std::mem::take);
    done.sort_by_key(|(number, ..)| *number);
    done.into_iter()
        .map(|(_, scenario, found)| (scenario, found))
        .collect()
}

fn take<T, R>(shared: &Mutex<T>, with: impl FnOnce(&mut T) -> R) -> R {
    with(
        &mut shared
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    )
}
