#![doc = include_str!("../README.md")]
//!
//! # Features
#![doc = document_features::document_features!()]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod client_auth;
mod client_credentials;
#[cfg(any(feature = "oauth2-5", feature = "openidconnect-4"))]
mod client_secret;
mod code_exchange;
#[cfg(feature = "oauth2-5")]
mod from_oauth2;
#[cfg(feature = "openidconnect-4")]
mod from_openidconnect;
mod http;
mod id_token;
mod invalid_client_pause;
mod on_behalf_of;
mod provider;
mod retry_after;
#[cfg(feature = "openidconnect-4")]
mod session_claims;
mod token_response;

#[cfg(feature = "openidconnect-4")]
pub use self::from_openidconnect::{
    CoreProviderMetadataWith, ProviderMetadataWithRevocation, RevocationProviderMetadata,
};
#[cfg(feature = "openidconnect-4")]
pub use self::session_claims::SessionClaims;
pub use self::{
    builder::ProviderBuilder,
    client_auth::ClientAuth,
    client_credentials::ClientCredentialsSource,
    code_exchange::CodeExchange,
    on_behalf_of::{OnBehalfOfGrant, OnBehalfOfSource},
    provider::Provider,
};
