//! The types that apps and stores pass in and get back: accounts, sessions, entries, token sets, times and errors.

pub(crate) mod account;
pub(crate) mod auth_time;
pub(crate) mod claims;
pub(crate) mod diagnostic;
pub(crate) mod entropy;
pub(crate) mod entry;
pub(crate) mod entry_value;
pub(crate) mod error;
pub(crate) mod error_kind;
pub(crate) mod error_response;
pub(crate) mod evict_target;
pub(crate) mod namespace;
pub(crate) mod on_behalf_of;
pub(crate) mod refresh_error;
pub(crate) mod server_id;
pub(crate) mod session_record;
pub(crate) mod sign_out;
pub(crate) mod ticket_secret;
pub(crate) mod timestamp;
pub(crate) mod token_response;
pub(crate) mod token_set;
pub(crate) mod wait;
