#![doc = include_str!("../README.md")]

mod account_driver;
mod assertions;
mod bounds;
mod check;
mod checks;
mod harness;
mod history;
mod in_process;
mod model;
mod negatives;
mod not_before;
mod random;
mod recording_listener;
mod runner;
mod sealed;
mod setup;
mod table;
mod test_clock;
mod violation;

pub use async_trait::async_trait;

pub use self::{
    check::{Check, Needs, Outcome},
    harness::{Breakable, Harness, NoStore, Switch},
    in_process::InProcess,
    runner::main,
    sealed::Sealed,
    table::CHECKS,
    test_clock::TestClock,
    violation::{Promise, Violation},
};
use self::{history::History, setup::Setup};
