//! The search: every schedule of a scenario, shortest first. Schedules that lead to the same state are explored once.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
};

use super::{
    checker::Violation,
    run::{Choice, Run},
    scenario::Scenario,
};

/// Result of a search.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explored {
    /// Number of states.
    pub states: usize,
    /// Number of choices tried.
    pub choices: usize,
    /// Length of the longest schedule, in steps.
    pub longest: usize,
    /// The shortest schedule that breaks a promise.
    pub refuted: Option<Refutation>,
    /// `false` if the search reached its limit.
    pub complete: bool,
}

/// A schedule that breaks a promise.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refutation {
    /// The broken promise.
    pub violation: Violation,
    /// The steps, in words.
    pub schedule: Vec<String>,
}

struct Node {
    parent: u32,
    choice: Option<Choice>,
    depth: u16,
}

/// Explores every schedule of `scenario`, up to `limit` states.
pub fn explore(scenario: &Scenario, limit: usize) -> Explored {
    let mut nodes = vec![Node {
        parent: 0,
        choice: None,
        depth: 0,
    }];
    let start = (Run::new(scenario, false).key(), 0);
    let mut seen: HashMap<u64, u8, foldhash::fast::FixedState> = [start].into_iter().collect();
    let mut frontier: VecDeque<u32> = VecDeque::from([0]);
    let (mut choices, mut longest) = (0, 0);
    while let Some(at) = frontier.pop_front() {
        let path = path(&nodes, at);
        let mut here = Some(replay(scenario, &path, false));
        let open = here.as_ref().map(Run::choices).unwrap_or_default();
        let stored = here.as_ref().map(Run::stored).unwrap_or_default();
        for choice in open {
            choices += 1;
            let mut run = here
                .take()
                .unwrap_or_else(|| replay(scenario, &path, false));
            run.take(choice);
            if run.violation().is_some() {
                return refuted(scenario, path, choice, nodes.len(), choices);
            }
            let delivery = matches!(choice, Choice::Land(_) | Choice::Repeat(_));
            if delivery && run.stored() == stored {
                continue;
            }
            let faults = run.faults();
            let before = seen.entry(run.key()).or_insert(u8::MAX);
            if *before <= faults {
                continue;
            }
            *before = faults;
            let depth = nodes[at as usize].depth + 1;
            longest = longest.max(usize::from(depth));
            frontier.push_back(u32::try_from(nodes.len()).unwrap_or(u32::MAX));
            nodes.push(Node {
                parent: at,
                choice: Some(choice),
                depth,
            });
            if nodes.len() >= limit {
                frontier.clear();
                break;
            }
        }
    }
    Explored {
        states: nodes.len(),
        choices,
        longest,
        refuted: None,
        complete: nodes.len() < limit,
    }
}

fn refuted(
    scenario: &Scenario,
    mut path: Vec<Choice>,
    choice: Choice,
    states: usize,
    choices: usize,
) -> Explored {
    path.push(choice);
    let run = replay(scenario, &path, true);
    Explored {
        states,
        choices,
        longest: path.len(),
        refuted: run.violation().map(|violation| Refutation {
            violation,
            schedule: run.trace(),
        }),
        complete: true,
    }
}

fn path(nodes: &[Node], mut at: u32) -> Vec<Choice> {
    let mut path = Vec::new();
    while let Some(choice) = nodes[at as usize].choice {
        path.push(choice);
        at = nodes[at as usize].parent;
    }
    path.reverse();
    path
}

fn replay<'a>(scenario: &'a Scenario, path: &[Choice], traced: bool) -> Run<'a> {
    let mut run = Run::new(scenario, traced);
    for choice in path {
        run.take(*choice);
    }
    run
}

impl fmt::Display for Refutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.schedule {
            writeln!(f, "  {step}")?;
        }
        write!(f, "  {}", self.violation)
    }
}
