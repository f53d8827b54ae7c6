//! Every scenario holds in all its schedules, and every mutant is refuted.

#![allow(clippy::print_stdout, reason = "a test prints how much it explored")]

use std::{sync::Mutex, thread, time::Instant};

use token_cache_integration_tests::{
    Explored,
    model::{Mutant, Scenario, explore, scenarios},
    near_cache_model::{self, NearCacheMutant, NearCacheScenario, explore_near_cache},
};

/// Maximum number of states. Every scenario has fewer. One that has more is explored only in part, and fails.
const LIMIT: usize = 2_000_000;

/// A scenario's name, and what its search found.
type Found = (String, Explored);

fn explored(scenario: &Scenario) -> Found {
    (scenario.name.clone(), explore(scenario, LIMIT))
}

fn explored_near_cache(scenario: &NearCacheScenario) -> Found {
    let found = explore_near_cache(scenario, LIMIT);
    (scenario.name.to_owned(), found)
}

#[test]
fn every_schedule_keeps_the_promises() {
    all_hold(scenarios::all(), explored);
}

#[test]
fn every_schedule_of_near_caches_keeps_the_promises() {
    all_hold(near_cache_model::scenarios::all(), explored_near_cache);
}

fn all_hold<S: Send>(scenarios: Vec<S>, explored: fn(&S) -> Found) {
    let started = Instant::now();
    let found = explore_all(scenarios, explored);
    let mut broken = Vec::new();
    for (name, explored) in &found {
        println!("{:>7} states: {name}", explored.states);
        if let Some(refutation) = &explored.refuted {
            broken.push(format!("{name}\n{refutation}"));
        }
        if !explored.complete {
            broken.push(format!("{name} is not explored completely"));
        }
    }
    let states: usize = found.iter().map(|(_, explored)| explored.states).sum();
    println!("{states} states in {:?}", started.elapsed());
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn every_mutant_is_refuted() {
    let mutants = Mutant::ALL.iter().map(|it| (it.name(), it.scenario()));
    all_are_refuted(mutants, explored);
}

#[test]
fn every_mutant_of_near_caches_is_refuted() {
    let mutants = NearCacheMutant::ALL
        .iter()
        .map(|it| (it.name(), it.scenario()));
    all_are_refuted(mutants, explored_near_cache);
}

fn all_are_refuted<S: Send>(
    mutants: impl Iterator<Item = (&'static str, Option<S>)>,
    explored: fn(&S) -> Found,
) {
    let (names, scenarios): (Vec<_>, Vec<_>) = mutants
        .map(|(name, scenario)| {
            let scenario =
                scenario.unwrap_or_else(|| panic!("{name} names a scenario that does not exist"));
            (name, scenario)
        })
        .unzip();
    let found = explore_all(scenarios, explored);
    let survivors: Vec<&str> = names
        .into_iter()
        .zip(&found)
        .filter(|(_, (_, explored))| explored.refuted.is_none())
        .map(|(name, _)| name)
        .collect();
    assert!(survivors.is_empty(), "no schedule refutes {survivors:?}");
}

/// Some mutants need a fault: without one, a late duplicate does no harm even to a store that does not handle it.
#[test]
fn what_only_a_fault_shows_is_not_seen_without() {
    let faultless = |mutant: Mutant| {
        let mut scenario = mutant.scenario()?;
        scenario.faults = 0;
        Some(explore(&scenario, LIMIT).refuted.is_some())
    };
    for mutant in [
        Mutant::RetryWithTheSameTicketSecret,
        Mutant::BeginDeliveredTwice,
        Mutant::BeginUnconditional,
        Mutant::FailureSwallowed,
        Mutant::DuplicateEndsNewer,
        Mutant::EvictsUnconditionally,
    ] {
        assert_eq!(faultless(mutant), Some(false), "{}", mutant.name());
    }
}

/// Explores the scenarios on all processors. The results are in the order of the scenarios.
fn explore_all<S: Send>(scenarios: Vec<S>, explored: fn(&S) -> Found) -> Vec<Found> {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let next = Mutex::new(scenarios.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, scenario)) = take(&next, Iterator::next) {
                    let found = explored(&scenario);
                    take(&done, |done| done.push((number, found)));
                }
            });
        }
    });
    let mut done = take(&done, std::mem::take);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, found)| found).collect()
}

fn take<T, R>(shared: &Mutex<T>, with: impl FnOnce(&mut T) -> R) -> R {
    with(
        &mut shared
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    )
}
