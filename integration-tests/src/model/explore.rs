//! The runs of the protocol, as the search explores them.

use super::{
    run::{Choice, Run},
    scenario::Scenario,
};
use crate::search::{self, Explored};

/// Explores every schedule of `scenario`, up to `limit` states.
pub fn explore(scenario: &Scenario, limit: usize) -> Explored {
    search::search(|traced| Run::new(scenario, traced), limit)
}

impl search::World for Run<'_> {
    type Choice = Choice;

    fn choices(&self) -> Vec<Choice> {
        self.choices()
    }

    fn fork(&self) -> Self {
        self.fork()
    }

    fn take(&mut self, choice: Choice) -> bool {
        self.take(choice)
    }

    fn violation(&self) -> Option<String> {
        self.violation().map(|violation| violation.to_string())
    }

    fn digest(&self) -> u64 {
        self.key()
    }

    fn faults(&self) -> u8 {
        self.faults()
    }

    fn trace(&self) -> Vec<String> {
        self.trace()
    }
}
