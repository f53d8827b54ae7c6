//! The history of what a fleet of app servers did and saw, and the check of the promises in it.
//!
//! An [`Event`] is one operation, with its start and its end on a clock that all processes share. [`check`] checks a whole history
//! afterwards. The order of operations need not be known in advance: if two overlap, either order is allowed.

mod check;
mod ends;
mod entries;
mod event;
mod log;
mod report;

pub use self::{
    check::{NearCacheRules, Rules, check},
    event::{Account, Event, Op, Outcome, Scope, SessionNumber, Sid, Span, WriteId},
    log::{Log, LogError, Logged, Started, read},
    report::{Counts, Promise, Report, Staleness, Violation},
};

#[cfg(test)]
mod near_cache_tests;
#[cfg(test)]
mod simulated_tests;
#[cfg(test)]
mod tests;
