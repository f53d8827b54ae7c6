//! Refuses the requests of sessions that have ended.

mod checker;
mod layer;
mod signed_in;

#[cfg(feature = "actix-web-4")]
pub(crate) use self::{
    checker::{Decision, SessionChecker},
    signed_in::SessionChecked,
};
pub use self::{
    layer::{SessionCheck, SessionCheckService},
    signed_in::{SignedIn, SignedInRejection},
};
