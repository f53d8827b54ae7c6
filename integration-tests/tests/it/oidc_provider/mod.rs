//! The providers' sources at a certified OpenID provider, on servers that share a Redis.
mod storm;

use oauth2::basic::BasicClient;
use openidconnect::core::{CoreClient, CoreJsonWebKeySet};
use openidconnect::{ClientId, ClientSecret, Nonce, TokenUrl};
use serde_json::Value;
use token_cache::providers::{
    Provider, ProviderBuilder, ProviderMetadataWithRevocation, SessionClaims,
};
use token_cache::{ExposeSecret, Session, SignIn, keys::SecretString, refresh::Revocation};
use token_cache_integration_tests::servers::{
    CLIENT_ID, CLIENT_SECRET, OidcProvider, ProviderCounts,
};

use crate::refreshes::story::{self, ReportsCounts, Servers};

impl ReportsCounts for OidcProvider {
    async fn counts(&self) -> ProviderCounts {
        Self::counts(self).await.unwrap()
    }

    async fn is_live(&self, access_token: &SecretString) -> bool {
        Self::is_live(self, access_token.expose_secret())
            .await
            .unwrap()
    }
}

/// A user who has signed in at the provider and at the app.
struct SignedIn {
    servers: Servers,
    provider: OidcProvider,
    metadata: ProviderMetadataWithRevocation,
    response: Value,
    session: Session,
}

impl SignedIn {
    async fn start() -> Self {
        let provider = OidcProvider::start().unwrap();
        let metadata: ProviderMetadataWithRevocation = provider
            .read("/.well-known/openid-configuration")
            .await
            .unwrap();
        let keys: CoreJsonWebKeySet = provider.read("/jwks").await.unwrap();
        let metadata = metadata.set_jwks(keys);
        let servers = Servers::start().await;
        let started = servers.here.start_sign_in().unwrap();
        let response = provider.sign_in("ada").await.unwrap();

        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            id(),
            Some(ClientSecret::new(CLIENT_SECRET.to_owned())),
        );
        let no_nonce_was_sent = |_: Option<&Nonce>| Ok(());
        let id_token = response["id_token"].as_str().unwrap();
        let claims =
            SessionClaims::verify(id_token, &client.id_token_verifier(), no_nonce_was_sent)
                .unwrap();
        let sign_in = SignIn::from_claims(&claims, &started).unwrap();
        let session = servers.here.sign_in(sign_in).await.unwrap();
        Self {
            servers,
            provider,
            metadata,
            response,
            session,
        }
    }
}

fn id() -> ClientId {
    ClientId::new(CLIENT_ID.to_owned())
}

/// Builds a provider from the provider's metadata.
fn by_metadata(metadata: &ProviderMetadataWithRevocation) -> Provider {
    ProviderBuilder::from_metadata(metadata, &id())
        .unwrap()
        .client_secret(CLIENT_SECRET)
        .revocation_of(metadata, Revocation::Token)
        .unwrap()
        .build()
        .unwrap()
}

/// Builds a provider from a client of the crate `oauth2`.
fn by_oauth2(metadata: &ProviderMetadataWithRevocation) -> Provider {
    let token_url = metadata.token_endpoint().unwrap().as_str().to_owned();
    let client = BasicClient::new(id()).set_token_uri(TokenUrl::new(token_url).unwrap());
    ProviderBuilder::from_oauth2(&client)
        .client_secret(CLIENT_SECRET)
        .revocation_of(metadata, Revocation::Token)
        .unwrap()
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_refresh_rotates_its_token_and_a_reused_one_ends_the_session() {
    for source in [by_metadata, by_oauth2] {
        let it = SignedIn::start().await;
        let source = source(&it.metadata);
        story::rotates(
            &it.servers,
            &it.session,
            &source,
            &it.response,
            &it.provider,
        )
        .await;
    }
}

#[tokio::test]
async fn a_refresh_that_lost_to_a_sign_out_is_revoked() {
    for source in [by_metadata, by_oauth2] {
        let it = SignedIn::start().await;
        let source = source(&it.metadata);
        let SignedIn {
            servers,
            provider,
            response,
            session,
            ..
        } = it;
        story::loses_to_a_sign_out(&servers, session, &source, &response, &provider).await;
    }
}
