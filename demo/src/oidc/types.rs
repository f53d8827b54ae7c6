//! The types of the crate `openidconnect`, with the members that a sign-out needs.

use openidconnect::{
    AdditionalClaims, AdditionalProviderMetadata, Client, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdTokenClaims, IdTokenFields, StandardErrorResponse,
    StandardTokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use token_cache::providers::CoreMetadata;

/// The claim that names the provider's session (OpenID Connect Back-Channel Logout 1.0 section 2.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<String>,
}

impl AdditionalClaims for Label {}

pub(crate) type Claims = IdTokenClaims<Label, CoreGenderClaim>;

type Fields = IdTokenFields<
    Label,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

pub(crate) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

pub(crate) type Registered = Client<
    Label,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revocation_endpoint: Option<url::Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end_session_endpoint: Option<url::Url>,
}

impl AdditionalProviderMetadata for Endpoints {}

pub(crate) type Metadata = CoreMetadata<Endpoints>;
