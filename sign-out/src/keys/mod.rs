//! The signing keys and the discovery document of a provider.

mod cached;
mod jwk;
mod jwk_set;
mod key_fetch;
mod provider;
mod provider_metadata;

pub use self::key_fetch::{KeyFetch, KeyFetchError};
pub(crate) use self::{
    jwk::Jwk,
    provider::{MAX_FETCH_TIME, Provider, SignedMessage, VerifyError},
};
