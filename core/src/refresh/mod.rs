//! One refresh in the whole fleet, fenced against sign-out.

mod error;
mod request;
mod source;

pub use self::{
    error::{RefreshError, RefreshErrorKind},
    request::RefreshRequest,
    source::{Revocation, TokenSource},
};
