//! The providers' sources at the development provider, on servers that share a Redis.
mod end_of_life;
pub(crate) mod story;

use oauth2::{AuthType, ClientId, TokenUrl, basic::BasicClient};
use openidconnect::core::{CoreClient, CoreResponseType};
use openidconnect::{
    AuthUrl, EmptyAdditionalProviderMetadata, IssuerUrl, JsonWebKeySetUrl, ResponseTypes,
};
use token_cache::providers::{
    CoreProviderMetadataWith, OnBehalfOfGrant, Provider, ProviderBuilder,
};
use token_cache::{
    AccountId, EntryKey, ExposeSecret, Session, SignIn,
    keys::SecretString,
    refresh::{RefreshOptions, Revocation},
};
use token_cache_integration_tests::servers::{
    CLIENT_ID, CLIENT_SECRET, OAuthProvider, ProviderCounts,
};

use story::{ReportsCounts, Servers};

impl ReportsCounts for OAuthProvider {
    async fn counts(&self) -> ProviderCounts {
        Self::counts(self)
    }

    async fn is_live(&self, access_token: &SecretString) -> bool {
        Self::is_live(self, access_token.expose_secret())
    }
}

/// Builds a provider as an app with a client of the crate `oauth2` would.
fn by_oauth2(provider: &OAuthProvider) -> Provider {
    let client = BasicClient::new(ClientId::new(CLIENT_ID.to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::new(provider.token_url()).unwrap());
    finished(ProviderBuilder::from_oauth2(&client), provider)
}

/// Builds a provider as an app with a client of the crate `openidconnect` would.
fn by_openidconnect(provider: &OAuthProvider) -> Provider {
    let url = |path: &str| format!("{}{path}", provider.issuer());
    let metadata = CoreProviderMetadataWith::new(
        IssuerUrl::new(provider.issuer()).unwrap(),
        AuthUrl::new(url("/authorize")).unwrap(),
        JsonWebKeySetUrl::new(url("/keys")).unwrap(),
        vec![ResponseTypes::new(vec![CoreResponseType::Code])],
        Vec::new(),
        Vec::new(),
        EmptyAdditionalProviderMetadata {},
    )
    .set_token_endpoint(Some(TokenUrl::new(provider.token_url()).unwrap()));
    let id = ClientId::new(CLIENT_ID.to_owned());
    let client = CoreClient::from_provider_metadata(metadata, id, None);
    finished(
        ProviderBuilder::from_openidconnect(&client).unwrap(),
        provider,
    )
}

fn finished(builder: ProviderBuilder, provider: &OAuthProvider) -> Provider {
    builder
        .client_secret(CLIENT_SECRET)
        .revocation(provider.revocation_url(), Revocation::Token)
        .build()
        .unwrap()
}

async fn sign_in(servers: &Servers) -> Session {
    let account = AccountId::new("https://id.example", "ada").unwrap();
    let started = servers.here.start_sign_in().unwrap();
    servers
        .here
        .sign_in(SignIn::new(account, &started))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_refresh_rotates_its_token_and_a_reused_one_ends_the_session() {
    for source in [by_oauth2, by_openidconnect] {
        let (servers, provider) = (Servers::start().await, OAuthProvider::start().unwrap());
        let session = sign_in(&servers).await;
        let signed_in = provider.sign_in("ada").unwrap();
        story::rotates(
            &servers,
            &session,
            &source(&provider),
            &signed_in,
            &provider,
        )
        .await;
    }
}

#[tokio::test]
async fn a_refresh_that_lost_to_a_sign_out_is_revoked() {
    for source in [by_oauth2, by_openidconnect] {
        let (servers, provider) = (Servers::start().await, OAuthProvider::start().unwrap());
        let session = sign_in(&servers).await;
        let signed_in = provider.sign_in("ada").unwrap();
        let source = source(&provider);
        story::loses_to_a_sign_out(&servers, session, &source, &signed_in, &provider).await;
    }
}

#[tokio::test]
async fn tokens_that_need_no_refresh_token_are_asked_for_once() {
    let (servers, provider) = (Servers::start().await, OAuthProvider::start().unwrap());
    let session = sign_in(&servers).await;
    let source = by_oauth2(&provider);
    let users = provider.sign_in("ada").unwrap();
    let users = users["access_token"].as_str().unwrap();
    let options = || {
        RefreshOptions::new()
            .without_refresh_token()
            .scopes(["reports"])
    };

    let own = EntryKey::new("own").unwrap();
    for _ in 0..2 {
        let source = source.client_credentials();
        let tokens = session
            .get_or_refresh_with(&own, source, options())
            .await
            .unwrap();
        assert_eq!(tokens.scopes(), ["reports"]);
    }
    for (name, exchange) in [
        ("exchanged", OnBehalfOfGrant::TokenExchange),
        ("asserted", OnBehalfOfGrant::JwtBearer),
    ] {
        let key = EntryKey::new(name).unwrap();
        for _ in 0..2 {
            let source = source.on_behalf_of(users, exchange);
            let tokens = session
                .get_or_refresh_with(&key, source, options())
                .await
                .unwrap();
            assert!(provider.is_live(tokens.access_token().expose_secret()));
        }
    }
    assert_eq!(provider.requests(|_| true), 3);
}
