//! The types of the crate `openidconnect`, with the members that a sign-out needs.

use openidconnect::{
    AdditionalProviderMetadata, EndpointMaybeSet, EndpointNotSet, EndpointSet, core::CoreClient,
};
use serde::{Deserialize, Deserializer, Serialize};
use token_cache::providers::CoreProviderMetadataWith;

pub(crate) type Registered = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Two members of a provider's metadata that the crate has no place for together: RFC 8414 section 2, and OpenID Connect
/// RP-Initiated Logout 1.0 section 2.1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    #[serde(
        default,
        deserialize_with = "readable",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) revocation_endpoint: Option<url::Url>,
    #[serde(
        default,
        deserialize_with = "readable",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) end_session_endpoint: Option<url::Url>,
}

impl AdditionalProviderMetadata for Endpoints {}

/// An optional address. One that cannot be read is left out: it must not keep users from signing in.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<url::Url>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(Option::<url::Url>::deserialize(value).unwrap_or_default())
}

pub(crate) type Metadata = CoreProviderMetadataWith<Endpoints>;
