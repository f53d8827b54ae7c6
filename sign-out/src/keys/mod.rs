//! The keys that a provider signs with, and what else its discovery document says.

mod cached;
mod discovery;
mod fetch;
mod key;
mod provider;
mod set;

use self::{discovery::Discovered, set::KeySet};
pub(crate) use self::{
    fetch::{FetchError, Http},
    key::Key,
    provider::{KeyFailure, LONGEST, Provider, Signed},
};
