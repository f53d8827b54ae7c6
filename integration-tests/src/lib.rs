//! The test harness (unpublished): real servers, several processes, faults, and the model of the protocol.

pub mod browser;
pub mod clock;
pub mod fleet;
pub mod history;
pub mod model;
pub mod near_cache_model;
mod search;
pub mod servers;
pub mod torture;

pub use self::search::{Explored, Refutation};
