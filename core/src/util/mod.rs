//! Helpers without a notion of a session: random bytes, wiped bytes, and what the authors of stores share.

pub(crate) mod hash_name;
pub(crate) mod log;
pub(crate) mod single_flight;
pub(crate) mod wiped;
