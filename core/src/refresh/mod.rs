//! One refresh in the whole fleet, which cannot write after a sign-out.
//!
//! An app calls [`get`]. A caller that finds tokens due joins the [`tasks`] of this process. A [`task`] takes the fleet's
//! [`lock`]. Then, [`under_lock`], it makes the [`call`], checks the [`answer`] and writes it back.

mod answer;
mod call;
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

use crate::{RefreshError, RefreshErrorKind};

pub(crate) use self::tasks::Refreshes;
pub use self::{
    options::RefreshOptions,
    policy::{AfterLostAnswer, RefreshPolicy},
    request::RefreshRequest,
    revocation::Revoking,
    source::{Revocation, TokenSource},
};
