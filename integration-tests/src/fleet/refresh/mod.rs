//! Refreshes in an app server: many simultaneous callers request one session's tokens, from a provider that the driver runs.

mod ask;
mod callers;

pub use self::ask::{Got, RefreshSettings, Refreshed, Refreshing, Storm};
pub(super) use self::callers::carry_out;
