//! The search of both models: every schedule of a scenario, shortest first. Schedules that lead to the same state are explored once.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
};

/// The state of one schedule.
pub(crate) trait World: Sized {
    /// One atomic step.
    type Choice: Copy;

    /// Returns the steps that may be taken next.
    fn choices(&self) -> Vec<Self::Choice>;

    /// Returns a copy, which changes independently.
    fn fork(&self) -> Self;

    /// Takes a step. Returns `false` if the state need not be explored, because the step has changed nothing.
    fn take(&mut self, choice: Self::Choice) -> bool;

    /// Returns the promise that is broken in this state, in words.
    fn violation(&self) -> Option<String>;

    /// Returns a digest of everything that can still matter, except the number of faults left.
    fn digest(&self) -> u64;

    /// Returns the number of faults so far. A state is explored again if it is reached with fewer.
    fn faults(&self) -> u8;

    /// Returns the steps in words.
    fn trace(&self) -> Vec<String>;
}

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
    pub violation: String,
    /// The steps, in words.
    pub schedule: Vec<String>,
}

/// How a state was reached.
struct Node<C> {
    parent: u32,
    choice: Option<C>,
    depth: u16,
}

/// Explores every schedule, up to `limit` states. `begin` returns the world before the first step. It records its steps in words if it is
/// passed `true`.
pub(crate) fn search<W: World>(begin: impl Fn(bool) -> W, limit: usize) -> Explored {
    let start = begin(false);
    let mut seen = HashMap::with_hasher(foldhash::fast::FixedState::default());
    seen.insert(start.digest(), 0);
    let mut nodes = vec![Node {
        parent: 0,
        choice: None,
        depth: 0,
    }];
    let mut frontier = VecDeque::from([(0, start)]);
    let mut explored = Explored {
        states: 1,
        choices: 0,
        longest: 0,
        refuted: None,
        complete: true,
    };
    while let Some((at, here)) = frontier.pop_front() {
        let open = here.choices();
        let last = open.len().saturating_sub(1);
        let mut here = Some(here);
        for (number, choice) in open.into_iter().enumerate() {
            let next = if number == last {
                here.take()
            } else {
                here.as_ref().map(World::fork)
            };
            let Some(mut next) = next else { break };
            explored.choices += 1;
            let changed = next.take(choice);
            if let Some(violation) = next.violation() {
                let schedule = trace(begin(true), &nodes, at, choice);
                explored.longest = usize::from(nodes[at as usize].depth) + 1;
                explored.refuted = Some(Refutation {
                    violation,
                    schedule,
                });
                return explored;
            }
            if !changed {
                continue;
            }
            let faults = next.faults();
            let fewest = seen.entry(next.digest()).or_insert(u8::MAX);
            if *fewest <= faults {
                continue;
            }
            *fewest = faults;
            let depth = nodes[at as usize].depth + 1;
            explored.longest = explored.longest.max(usize::from(depth));
            let node = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            nodes.push(Node {
                parent: at,
                choice: Some(choice),
                depth,
            });
            explored.states = nodes.len();
            if nodes.len() >= limit {
                explored.complete = false;
                return explored;
            }
            frontier.push_back((node, next));
        }
    }
    explored
}

/// Takes the steps to a node and a last one again, and returns them in words.
fn trace<W: World>(
    mut world: W,
    nodes: &[Node<W::Choice>],
    mut at: u32,
    last: W::Choice,
) -> Vec<String> {
    let mut path = vec![last];
    while let Some(choice) = nodes[at as usize].choice {
        path.push(choice);
        at = nodes[at as usize].parent;
    }
    for choice in path.into_iter().rev() {
        world.take(choice);
    }
    world.trace()
}

impl fmt::Display for Refutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.schedule {
            writeln!(f, "  {step}")?;
        }
        write!(f, "  {}", self.violation)
    }
}
