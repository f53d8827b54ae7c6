//! The checks, one file a topic. Each is a function that fails if the store does not do what its first line states.

#![expect(clippy::similar_names, reason = "what is compared is named alike")]

pub(crate) mod app;

pub(crate) mod accounts;
pub(crate) mod background_sessions;
pub(crate) mod backplane;
pub(crate) mod bulk;
pub(crate) mod bytes;
pub(crate) mod concurrency;
pub(crate) mod conditional_writes;
pub(crate) mod expiry;
pub(crate) mod faults;
pub(crate) mod ids;
pub(crate) mod isolation;
pub(crate) mod late_creations;
pub(crate) mod locks;
pub(crate) mod long_lives;
pub(crate) mod many;
pub(crate) mod many_sessions;
pub(crate) mod namespace;
pub(crate) mod neighbours;
pub(crate) mod not_before;
pub(crate) mod orders;
pub(crate) mod overtaken;
pub(crate) mod properties;
pub(crate) mod refused_refreshes;
pub(crate) mod session_ids;
pub(crate) mod sessions;
pub(crate) mod sid_index;
pub(crate) mod sign_ins;
pub(crate) mod sign_outs;
pub(crate) mod time;
pub(crate) mod values;
pub(crate) mod version_bytes;
