//! The checks, one file a topic. Each is a function of its own, so that a store's author can call one at a time.

#![expect(
    clippy::missing_errors_doc,
    reason = "each fails where the store does not do what its first line says"
)]
#![expect(clippy::similar_names, reason = "what is compared is named alike")]

pub(crate) mod app;

pub mod accounts;
pub mod background_sessions;
pub mod bulk;
pub mod bytes;
pub mod concurrency;
pub mod conditional_writes;
pub mod expiry;
pub mod faults;
pub mod ids;
pub mod isolation;
pub mod late_creations;
pub mod link;
pub mod locks;
pub mod long_lives;
pub mod many;
pub mod many_sessions;
pub mod namespace;
pub mod neighbours;
pub mod not_before;
pub mod orders;
pub mod overtaken;
pub mod properties;
pub mod refused_refreshes;
pub mod session_ids;
pub mod sessions;
pub mod sid_index;
pub mod sign_ins;
pub mod sign_outs;
pub mod time;
pub mod values;
pub mod version_bytes;
