//! The near caches' worlds, as the search explores them.

use super::{choices::Choice, scenario::NearCacheScenario, world::World};
use crate::search::{self, Explored};

/// Explores every schedule of `scenario`, up to `limit` states.
pub fn explore_near_cache(scenario: &NearCacheScenario, limit: usize) -> Explored {
    search::search(|traced| World::new(scenario, traced), limit)
}

impl search::World for World<'_> {
    type Choice = Choice;

    fn choices(&self) -> Vec<Choice> {
        self.choices()
    }

    fn fork(&self) -> Self {
        self.clone()
    }

    fn take(&mut self, choice: Choice) -> bool {
        self.take(choice);
        true
    }

    fn violation(&self) -> Option<String> {
        self.violation()
    }

    fn digest(&self) -> u64 {
        self.digest()
    }

    /// The digest has the number of faults.
    fn faults(&self) -> u8 {
        0
    }

    fn trace(&self) -> Vec<String> {
        self.trace.clone().unwrap_or_default()
    }
}
