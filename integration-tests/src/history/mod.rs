//! What a fleet of app servers did and saw, and whether a promise was broken in it.
//!
//! An [`Event`] is one operation with the moments it began and ended on a clock that all processes share. [`check`] looks at
//! a whole history afterwards, so nothing needs to be known in advance about which operation came first: where two overlap,
//! either order is allowed.

mod check;
mod ends;
mod entries;
mod event;
mod log;
mod report;

pub use self::{
    check::{NearCacheRules, Rules, check},
    event::{Account, Event, Op, Outcome, Scope, SessionNumber, Sid, Span, WriteId},
    log::{Log, LogError, Logged, Published, read},
    report::{Counts, Promise, Report, Staleness, Violation},
};

#[cfg(test)]
mod near_cache_tests;
#[cfg(test)]
mod simulated_tests;
#[cfg(test)]
mod tests;
