use openidconnect::{
    AdditionalProviderMetadata, AuthType, ClientId, EndpointMaybeSet, EndpointState, IssuerUrl,
    ProviderMetadata, RevocationUrl,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use token_cache_core::{Error, Result, Revocation, telemetry::warn};
use url::Url;

use crate::{ClientAuth, ProviderBuilder, client_secret};

const OPERATION: &str = "read a provider from the crate openidconnect";

/// The metadata that a provider publishes (OpenID Connect Discovery 1.0), in the types of the crate `openidconnect`, with the additional
/// members `A`. [`ProviderBuilder::from_metadata`] takes it. An app without members of its own uses [`ProviderMetadataWithRevocation`].
///
/// It is a general form of [`CoreProviderMetadata`](openidconnect::core::CoreProviderMetadata), which has no additional members.
pub type CoreProviderMetadataWith<A> = ProviderMetadata<
    A,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The metadata of a provider including its revocation endpoint, for [`ProviderBuilder::from_metadata`] and
/// [`ProviderBuilder::revocation_of`].
///
/// The app gets it with `ProviderMetadataWithRevocation::discover_async`. Use it in place of
/// [`CoreProviderMetadata`](openidconnect::core::CoreProviderMetadata), which has no revocation endpoint.
pub type ProviderMetadataWithRevocation = CoreProviderMetadataWith<RevocationProviderMetadata>;

/// The member `revocation_endpoint` in the metadata of a provider (RFC 8414 section 2). `ProviderMetadataWithRevocation::discover_async`
/// creates it as a part of the [`ProviderMetadataWithRevocation`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevocationProviderMetadata {
    /// The URL of the revocation endpoint, or `None` if the metadata has no such member or its value is not a valid URL. An invalid value
    /// is logged at WARN (`provider_metadata_skipped`).
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub revocation_endpoint: Option<RevocationUrl>,
}

/// Reads an optional member of the metadata. An unreadable one is logged and left out, since users must still be able to sign in.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(Option::<T>::deserialize(value).unwrap_or_else(|error| {
        warn(
            "provider_metadata_skipped",
            format_args!("the `revocation_endpoint` in a provider's metadata is not a valid URL and is ignored, so tokens are not revoked: {error}"),
        );
        None
    }))
}

impl AdditionalProviderMetadata for RevocationProviderMetadata {}

impl ProviderBuilder {
    /// Creates a builder from a client of the crate `openidconnect` that was built from discovered metadata. The builder takes over the URL
    /// of the token endpoint, the client id, the client secret and the auth type ([`ClientAuth`]) of the client. If the client has no
    /// client secret, the app is a public client.
    ///
    /// The revocation endpoint of the client is not taken over. Unless it is set with [`revocation`](Self::revocation) or
    /// [`revocation_of`](Self::revocation_of), a sign-out revokes nothing.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if the client has no token endpoint.
    pub fn from_openidconnect<Auth, Device, Introspection, Revoking, UserInfo>(
        client: &CoreClient<Auth, Device, Introspection, Revoking, EndpointMaybeSet, UserInfo>,
    ) -> Result<Self>
    where
        Auth: EndpointState,
        Device: EndpointState,
        Introspection: EndpointState,
        Revoking: EndpointState,
        UserInfo: EndpointState,
    {
        let token_url = client.token_uri().ok_or_else(no_token_endpoint)?;
        let auth = match client.auth_type() {
            AuthType::RequestBody => ClientAuth::Body,
            _ => ClientAuth::Basic,
        };
        let builder = Self::new(token_url.url().clone(), client.client_id().as_str());
        let request = client
            .exchange_client_credentials()
            .map_err(|_| no_token_endpoint())?;
        let builder = match client_secret::read_client_secret(request) {
            Some(secret) => builder.client_secret(secret),
            None => builder,
        };
        Ok(builder.client_auth(auth))
    }

    /// Creates a builder from discovered metadata, and the client id under which the app is registered at the provider. The builder takes
    /// the URL of the token endpoint and the [`ClientAuth`] from the metadata.
    ///
    /// Metadata contains no client secret: pass it to [`client_secret`](Self::client_secret), unless the app is a public client. The
    /// revocation endpoint is not taken: set it with [`revocation_of`](Self::revocation_of).
    ///
    /// The [`ClientAuth`] is [`Body`](ClientAuth::Body) if `token_endpoint_auth_methods_supported` lists `client_secret_post` and not
    /// `client_secret_basic`. Otherwise it is [`Basic`](ClientAuth::Basic).
    ///
    /// ```no_run
    /// # async fn discover(http: impl for<'c> openidconnect::AsyncHttpClient<'c>) -> Result<(), Box<dyn std::error::Error>> {
    /// use openidconnect::{ClientId, ClientSecret, IssuerUrl, core::CoreClient};
    /// use token_cache::refresh::Revocation;
    /// use token_cache::providers::{ProviderMetadataWithRevocation, ProviderBuilder};
    ///
    /// let issuer = IssuerUrl::new("https://id.example".into())?;
    /// let metadata = ProviderMetadataWithRevocation::discover_async(issuer, &http).await?;
    /// let (id, secret) = (ClientId::new("shop".into()), "from the environment");
    ///
    /// let provider = ProviderBuilder::from_metadata(&metadata, &id)?
    ///     .client_secret(secret)
    ///     .revocation_of(&metadata, Revocation::Token)?
    ///     .build()?;
    /// let client = CoreClient::from_provider_metadata(metadata, id, Some(ClientSecret::new(secret.into())));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if
    ///
    /// - the metadata has no token endpoint;
    /// - the metadata lists only authentication methods that this crate does not support, such as `private_key_jwt`;
    /// - the issuer is https and the token endpoint is not.
    pub fn from_metadata<A: AdditionalProviderMetadata>(
        metadata: &CoreProviderMetadataWith<A>,
        client_id: &ClientId,
    ) -> Result<Self> {
        use CoreClientAuthMethod::{ClientSecretBasic, ClientSecretPost, None as Public};
        let token_url = metadata.token_endpoint().ok_or_else(no_token_endpoint)?;
        let auth = match metadata.token_endpoint_auth_methods_supported() {
            None => ClientAuth::Basic,
            Some(all) if all.contains(&ClientSecretBasic) => ClientAuth::Basic,
            Some(all) if all.contains(&ClientSecretPost) => ClientAuth::Body,
            Some(all) if all.contains(&Public) => ClientAuth::Basic,
            Some(_) => {
                let message = "the token endpoint accepts no client secret; implement TokenSource with a method in `token_endpoint_auth_methods_supported`";
                return Err(Error::config(OPERATION, message));
            }
        };
        check_https(metadata.issuer(), token_url.url(), "token")?;
        let builder = Self::new(token_url.url().clone(), client_id.as_str());
        Ok(builder.client_auth(auth))
    }

    /// Sets the revocation endpoint, as [`revocation`](Self::revocation) does, to the URL in discovered metadata. The parameter
    /// `revocation` says what the provider ends when a refresh token is revoked. With [`Revocation::None`], a sign-out revokes nothing.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if the metadata has no revocation endpoint, or if the issuer is https and the
    /// revocation endpoint is not.
    pub fn revocation_of(
        self,
        metadata: &ProviderMetadataWithRevocation,
        revocation: Revocation,
    ) -> Result<Self> {
        let endpoint = &metadata.additional_metadata().revocation_endpoint;
        let Some(endpoint) = endpoint else {
            return Err(Error::config(
                OPERATION,
                "the metadata has no `revocation_endpoint`; leave `revocation_of` out",
            ));
        };
        check_https(metadata.issuer(), endpoint.url(), "revocation")?;
        Ok(self.revocation(endpoint.url().clone(), revocation))
    }
}

/// Refuses a plain HTTP endpoint of an https issuer: the client secret would be sent unencrypted, even if only to this machine.
fn check_https(issuer: &IssuerUrl, endpoint: &Url, name: &str) -> Result<()> {
    if issuer.url().scheme() == "https" && endpoint.scheme() != "https" {
        let message = format!(
            "the issuer {} is https and its {name} endpoint is not; check the provider's metadata",
            issuer.as_str()
        );
        return Err(Error::config(OPERATION, message));
    }
    Ok(())
}

fn no_token_endpoint() -> Error {
    Error::config(
        OPERATION,
        "the metadata has no `token_endpoint`; check the issuer, or name the endpoint with `Provider::builder`",
    )
}

#[cfg(test)]
mod tests {
    use openidconnect::ClientSecret;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn metadata(methods: Option<&[&str]>) -> ProviderMetadataWithRevocation {
        let mut metadata = json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "revocation_endpoint": "https://id.example/revoke",
            "jwks_uri": "https://id.example/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        if let Some(methods) = methods {
            metadata["token_endpoint_auth_methods_supported"] = json!(methods);
        }
        serde_json::from_value(metadata).unwrap()
    }

    #[test]
    fn a_bad_revocation_endpoint_spoils_no_other_member() {
        let good = serde_json::to_value(metadata(None)).unwrap();
        for bad in [
            json!(""),
            json!(null),
            json!(7),
            json!("/revoke"),
            json!([]),
        ] {
            let mut metadata = good.clone();
            metadata["revocation_endpoint"] = bad.clone();
            let metadata: ProviderMetadataWithRevocation =
                serde_json::from_value(metadata).unwrap();
            let endpoint = &metadata.additional_metadata().revocation_endpoint;
            assert!(endpoint.is_none(), "{bad}");
            assert!(metadata.token_endpoint().is_some());
        }
    }

    fn id() -> ClientId {
        ClientId::new("shop".into())
    }

    #[test]
    fn a_provider_from_metadata() {
        for (methods, auth) in [
            (None, ClientAuth::Basic),
            (
                Some(&["client_secret_post", "client_secret_basic"][..]),
                ClientAuth::Basic,
            ),
            (
                Some(&["private_key_jwt", "client_secret_post"]),
                ClientAuth::Body,
            ),
            (Some(&["none"]), ClientAuth::Basic),
        ] {
            let metadata = metadata(methods);
            let builder = ProviderBuilder::from_metadata(&metadata, &id()).unwrap();
            assert_eq!(builder.credentials.auth, auth);
            let builder = builder.revocation_of(&metadata, Revocation::Token).unwrap();
            builder.build().unwrap();
        }
        let unable = metadata(Some(&["private_key_jwt"]));
        ProviderBuilder::from_metadata(&unable, &id()).unwrap_err();
    }

    #[test]
    fn a_provider_without_a_revocation_endpoint_can_t_be_told_to_revoke() {
        let mut metadata = metadata(None);
        metadata.additional_metadata_mut().revocation_endpoint = None;
        let builder = ProviderBuilder::from_metadata(&metadata, &id()).unwrap();
        builder
            .revocation_of(&metadata, Revocation::Token)
            .unwrap_err();
    }

    #[test]
    fn a_provider_from_a_client() {
        let secret = Some(ClientSecret::new("secret".into()));
        let client = CoreClient::from_provider_metadata(metadata(None), id(), secret)
            .set_auth_type(AuthType::RequestBody);
        let builder = ProviderBuilder::from_openidconnect(&client).unwrap();
        assert_eq!(builder.credentials.auth, ClientAuth::Body);
        let secret = builder.credentials.client_secret.as_ref().unwrap();
        assert_eq!(secret.expose_secret(), "secret");
        builder.build().unwrap();

        let public = CoreClient::from_provider_metadata(metadata(None), id(), None);
        let builder = ProviderBuilder::from_openidconnect(&public).unwrap();
        assert!(builder.credentials.client_secret.is_none());
    }

    #[test]
    fn an_https_issuer_leads_to_no_endpoint_in_clear() {
        let in_clear = [
            "http://id.example/x",
            "http://127.0.0.1:8080/x",
            "http://localhost/x",
        ];
        for endpoint in in_clear {
            let text = serde_json::to_string(&metadata(None)).unwrap();
            let text = text.replace("https://id.example/token", endpoint);
            let metadata: ProviderMetadataWithRevocation = serde_json::from_str(&text).unwrap();
            let error = ProviderBuilder::from_metadata(&metadata, &id()).unwrap_err();
            assert!(error.to_string().contains("token endpoint"), "{error}");

            let text = serde_json::to_string(&self::metadata(None)).unwrap();
            let text = text.replace("https://id.example/revoke", endpoint);
            let metadata: ProviderMetadataWithRevocation = serde_json::from_str(&text).unwrap();
            let builder = ProviderBuilder::from_metadata(&metadata, &id()).unwrap();
            let error = builder
                .revocation_of(&metadata, Revocation::Token)
                .unwrap_err();
            assert!(error.to_string().contains("revocation endpoint"), "{error}");
        }
    }
}
