//! The signing keys and the discovery document of a provider.

mod cached;
mod http_client;
mod jwk;
mod jwk_set;
mod provider;
mod provider_metadata;

pub(crate) use self::{
    http_client::{FetchError, HttpClient},
    jwk::Jwk,
    provider::{MAX_FETCH_TIME, Provider, SignedMessage, VerifyError},
};
use self::{jwk_set::JwkSet, provider_metadata::ProviderMetadata};
