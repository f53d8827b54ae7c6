//! The search: every schedule of a scenario, shortest first. Schedules that lead to the same state are explored once.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
};

use super::{checks::LocalViolation, choices::Choice, scenario::NearCacheScenario, world::World};

/// Result of a search.
#[derive(Debug)]
#[non_exhaustive]
pub struct LocalExplored {
    /// Number of states.
    pub states: usize,
    /// Number of choices tried.
    pub choices: usize,
    /// Length of the longest schedule, in steps.
    pub longest: usize,
    /// The shortest schedule that breaks a promise.
    pub refuted: Option<LocalRefutation>,
    /// `false` if the search reached its limit.
    pub complete: bool,
}

/// A schedule that breaks a promise.
#[derive(Debug)]
#[non_exhaustive]
pub struct LocalRefutation {
    /// The broken promise.
    pub violation: LocalViolation,
    /// The steps, in words.
    pub schedule: Vec<String>,
}

struct Node {
    parent: u32,
    choice: Option<Choice>,
    depth: u16,
}

/// Explores every schedule of `scenario`, up to `limit` states.
pub fn explore_near_cache(scenario: &NearCacheScenario, limit: usize) -> LocalExplored {
    let start = World::new(scenario, false);
    let mut seen: HashSet<u64, foldhash::fast::FixedState> = [start.digest()].into_iter().collect();
    let mut nodes = vec![Node {
        parent: 0,
        choice: None,
        depth: 0,
    }];
    let mut frontier = VecDeque::from([(0, start)]);
    let (mut choices, mut longest) = (0, 0);
    while let Some((at, here)) = frontier.pop_front() {
        for choice in here.choices() {
            choices += 1;
            let mut next = here.clone();
            next.take(choice);
            let violated = next.violation().is_some();
            if !violated && !seen.insert(next.digest()) {
                continue;
            }
            let depth = nodes[at as usize].depth + 1;
            longest = longest.max(usize::from(depth));
            let number = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            nodes.push(Node {
                parent: at,
                choice: Some(choice),
                depth,
            });
            if violated || nodes.len() >= limit {
                return LocalExplored {
                    states: nodes.len(),
                    choices,
                    longest,
                    refuted: violated.then(|| trace(scenario, &nodes, number)).flatten(),
                    complete: violated,
                };
            }
            frontier.push_back((number, next));
        }
    }
    LocalExplored {
        states: nodes.len(),
        choices,
        longest,
        refuted: None,
        complete: true,
    }
}

fn trace(scenario: &NearCacheScenario, nodes: &[Node], mut at: u32) -> Option<LocalRefutation> {
    let mut path = Vec::new();
    while let Some(choice) = nodes[at as usize].choice {
        path.push(choice);
        at = nodes[at as usize].parent;
    }
    let mut world = World::new(scenario, true);
    for choice in path.into_iter().rev() {
        world.take(choice);
    }
    Some(LocalRefutation {
        violation: world.violation()?,
        schedule: world.trace.unwrap_or_default(),
    })
}

impl fmt::Display for LocalRefutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.schedule {
            writeln!(f, "  {step}")?;
        }
        write!(f, "  {}", self.violation)
    }
}
