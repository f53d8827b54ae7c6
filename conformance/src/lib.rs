#![doc = include_str!("../README.md")]

mod actor;
mod bounds;
mod check;
pub mod checks;
mod ear;
mod harness;
mod history;
mod in_process;
mod model;
mod negatives;
mod not_before;
mod random;
mod runner;
mod sealed;
mod setup;
mod should;
mod table;
mod test_clock;
mod violation;

pub use async_trait::async_trait;

pub use self::{
    check::{Check, Met, Needs, Running},
    harness::{Breakable, Harness, NoStore, Switch},
    history::History,
    in_process::InProcess,
    runner::{main, main_of},
    sealed::Sealed,
    setup::Setup,
    table::{CHECKS, TOTAL},
    test_clock::TestClock,
    violation::{Promise, Violation},
};
