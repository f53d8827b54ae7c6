//! One refresh in the whole fleet, fenced against sign-out.
//!
//! [`get`] is what an app calls. Whoever finds tokens due joins the [`refresh tasks`] of this process; a [`refresh task`] takes the fleet's
//! [`lock`]; its holder takes the [`lead`]: makes the [`call`], checks the [`answer`] and writes it back.

mod answer;
mod call;
mod error;
mod error_response;
mod freshness;
mod get;
mod lock;
mod options;
mod policy;
mod request;
mod revocation;
mod source;
mod task;
mod tasks;
mod under_lock;
mod write_back;

pub(crate) use self::tasks::Refreshes;
pub use self::{
    error::{RefreshError, RefreshErrorKind},
    error_response::ErrorResponse,
    options::RefreshOptions,
    policy::{AfterLostAnswer, RefreshPolicy},
    request::RefreshRequest,
    revocation::Revoking,
    source::{Revocation, TokenSource},
};
