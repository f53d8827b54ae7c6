//! Helpers without a notion of a session: random bytes, wiped bytes, and what the authors of stores share.
//!
//! Those that are public are for the other crates of this family. They can change in any release.

pub mod detached;
pub(crate) mod hash_name;
pub(crate) mod log;
pub mod single_flight;
pub(crate) mod wiped;
