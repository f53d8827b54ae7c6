use std::fmt;

use openidconnect::{
    AdditionalProviderMetadata, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, RedirectUrl, Scope,
    core::{CoreClient, CoreJwsSigningAlgorithm},
};
use serde::{Deserialize, Deserializer, Serialize};
use token_cache::{
    providers::{CoreProviderMetadataWith, Provider, ProviderBuilder},
    refresh::Revocation,
    sign_out::{ClaimRequirement, ClientRegistration, FrontChannelParameters},
};
use url::Url;

use super::{OFFLINE_ACCESS, Oidc, http::Http, keys::Keys};
use crate::failure::{Failure, with_causes};

/// How an app is registered at its provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    /// Error codes by which this provider says that a refresh token is dead, besides `invalid_grant`.
    pub(crate) dead_grant_codes: Vec<String>,
    /// `true` to ask for `offline_access` if the provider offers it. Keycloak's logout does not end the session of such a refresh token.
    pub(crate) asks_for_offline_access: bool,
}

/// Prints no secret.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The app's registration at its provider, discovered (OpenID Connect Discovery 1.0).
pub(crate) struct Discovered {
    http: Http,
    metadata: Metadata,
    registration: Registration,
    source: Provider,
    exp_claim: ClaimRequirement,
    front_channel_parameters: FrontChannelParameters,
}

impl Discovered {
    pub(crate) async fn at(registration: Registration) -> Result<Self, Failure> {
        let failed = |what: &dyn std::fmt::Display| {
            Failure::new(format!("the provider {}: {what}", registration.issuer))
        };
        let http = Http::for_issuer(&registration.issuer)?;
        let issuer = IssuerUrl::new(registration.issuer.clone()).map_err(|error| failed(&error))?;
        let metadata = Metadata::discover_async(issuer, &http)
            .await
            .map_err(|error| failed(&with_causes(&error)))?;

        let id = ClientId::new(registration.client_id.clone());
        let mut source = ProviderBuilder::from_metadata(&metadata, &id)?;
        if let Some(secret) = &registration.client_secret {
            source = source.client_secret(secret);
        }
        source = source.invalid_grant_codes(&registration.dead_grant_codes);
        let endpoints = metadata.additional_metadata();
        for endpoint in [
            &endpoints.revocation_endpoint,
            &endpoints.end_session_endpoint,
        ] {
            let is_in_clear = endpoint.as_ref().is_some_and(|url| url.scheme() != "https");
            if is_in_clear && registration.issuer.starts_with("https:") {
                return Err(failed(&"it is https, and names an endpoint that is not"));
            }
        }
        if let Some(endpoint) = &endpoints.revocation_endpoint {
            source = source.revocation(endpoint.clone(), Revocation::Token);
        }
        Ok(Self {
            source: source.build()?,
            http,
            metadata,
            registration,
            exp_claim: ClaimRequirement::Required,
            front_channel_parameters: FrontChannelParameters::default(),
        })
    }

    /// Sets whether a logout token must have an `exp`.
    pub(crate) fn exp_claim(self, exp: ClaimRequirement) -> Self {
        Self {
            exp_claim: exp,
            ..self
        }
    }

    /// Accepts front-channel logout requests that name this.
    pub(crate) fn front_channel(self, names: FrontChannelParameters) -> Self {
        Self {
            front_channel_parameters: names,
            ..self
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.registration.issuer
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.registration.client_id
    }

    pub(crate) fn end_session_endpoint(&self) -> Option<&Url> {
        let endpoints = self.metadata.additional_metadata();
        endpoints.end_session_endpoint.as_ref()
    }

    /// Refreshes and revokes.
    pub(crate) fn source(&self) -> &Provider {
        &self.source
    }

    /// RS256 is what a client is registered for that says nothing (OpenID Connect Dynamic Client Registration 1.0 section 2).
    /// What a provider without it signs with is the first of the others that it names.
    fn algorithm(&self) -> Result<CoreJwsSigningAlgorithm, Failure> {
        use CoreJwsSigningAlgorithm::{
            EcdsaP256Sha256, EdDsa, RsaSsaPkcs1V15Sha256, RsaSsaPssSha256,
        };
        let named = self.metadata.id_token_signing_alg_values_supported();
        [
            RsaSsaPkcs1V15Sha256,
            EcdsaP256Sha256,
            RsaSsaPssSha256,
            EdDsa,
        ]
        .into_iter()
        .find(|algorithm| named.contains(algorithm))
        .ok_or_else(|| {
            Failure::new(format!(
                "the provider {} signs ID tokens with none of RS256, ES256, PS256 and EdDSA",
                self.issuer()
            ))
        })
    }

    pub(crate) fn for_server(&self, redirect_uri: String) -> Result<Oidc, Failure> {
        let redirect_uri = RedirectUrl::new(redirect_uri)
            .map_err(|error| Failure::new(format!("the redirect URI: {error}")))?;
        let Registration {
            client_id,
            client_secret,
            ..
        } = self.registration.clone();
        let client = Registered::from_provider_metadata(
            self.metadata.clone(),
            ClientId::new(client_id),
            client_secret.map(ClientSecret::new),
        );
        let offline = Scope::new(OFFLINE_ACCESS.to_owned());
        let supported = self.metadata.scopes_supported();
        Ok(Oidc {
            http: self.http.clone(),
            client: client.set_redirect_uri(redirect_uri),
            registration: self.registration.clone(),
            issuer: self.metadata.issuer().clone(),
            keys: Keys::new(
                self.metadata.jwks_uri().clone(),
                self.metadata.jwks().clone(),
            ),
            algorithm: self.algorithm()?,
            source: self.source.clone(),
            asks_for_offline_access: self.registration.asks_for_offline_access
                && supported.is_some_and(|scopes| scopes.contains(&offline)),
        })
    }

    /// The registration as the sign-out routes need it.
    pub(crate) fn for_sign_out(&self) -> ClientRegistration {
        ClientRegistration::new(self.issuer(), self.client_id())
            .exp_claim(self.exp_claim)
            .front_channel_parameters(self.front_channel_parameters)
    }
}

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
