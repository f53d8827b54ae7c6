//! The trait of a store, its parts and options, and the store in memory.

pub mod backend;
pub(crate) mod background_sessions;
pub(crate) mod backplane;
pub(crate) mod delegate;
pub(crate) mod memory;
pub(crate) mod options;
pub(crate) mod refresh_locks;
pub(crate) mod sid_index;
pub(crate) mod store_clock;
pub(crate) mod time_source;
pub(crate) mod token_store;
