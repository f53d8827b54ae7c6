use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope,
    TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims},
};

use super::{CALLBACK, world};

async fn http(request: HttpRequest) -> Result<HttpResponse, hyper_util::client::legacy::Error> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = request.map(|body| Full::new(Bytes::from(body)));
    let (head, body) = client.request(request).await?.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Ok(HttpResponse::from_parts(head, body))
}

/// By the client library that Rust apps use: it discovers, verifies the ID token with the published key, and compares nonce and hashes.
#[tokio::test]
async fn a_client_library_signs_a_user_in_and_refreshes() {
    let mut world = world();
    let issuer = IssuerUrl::new(world.provider.issuer().to_owned()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http)
        .await
        .unwrap();
    let (id, secret) = (world.app.client.id.clone(), world.app.client.secret.clone());
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(id),
        secret.map(ClientSecret::new),
    )
    .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("offline_access".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let page = world.browser.get(&url).await;
    let back = world.browser.sign_in(&page, "Zoë Ng").await;
    assert!(back.location().as_str().starts_with(CALLBACK));
    assert_eq!(back.sent_back("state").as_ref(), Some(state.secret()));
    assert_eq!(
        back.sent_back("iss").as_deref(),
        Some(world.provider.issuer())
    );

    let code = AuthorizationCode::new(back.sent_back("code").unwrap());
    let tokens = client
        .exchange_code(code)
        .unwrap()
        .set_pkce_verifier(verifier)
        .request_async(&http)
        .await
        .unwrap();
    let checks = client.id_token_verifier();
    let id_token = tokens.id_token().unwrap();
    let claims = id_token.claims(&checks, &nonce).unwrap();
    assert_eq!(claims.subject().as_str(), "Zo%C3%AB+Ng");
    assert!(claims.auth_time().is_some());
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&checks).unwrap(),
    );
    assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));

    let user: CoreUserInfoClaims = client
        .user_info(
            tokens.access_token().clone(),
            Some(claims.subject().clone()),
        )
        .unwrap()
        .request_async(&http)
        .await
        .unwrap();
    let name = user.name().unwrap().get(None).unwrap();
    assert_eq!(name.as_str(), "Zoë Ng");

    let refreshed = client
        .exchange_refresh_token(tokens.refresh_token().unwrap())
        .unwrap()
        .request_async(&http)
        .await
        .unwrap();
    assert_ne!(
        refreshed.access_token().secret(),
        tokens.access_token().secret()
    );
    assert_eq!(world.provider.counts().refreshes, 1);
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again() {
    let mut world = world();
    let first = world.app.sign_in(&mut world.browser, "Ada").await.claims();
    let back = world.browser.get(world.app.authorize(&[])).await;
    let code = back.sent_back("code").unwrap();
    let second = super::app::Tokens::of(&world.app.exchange(&code, &[]).await).claims();
    for claim in ["sub", "sid", "auth_time"] {
        assert_eq!(first[claim], second[claim]);
    }
    assert_eq!(world.provider.counts().sign_ins, 1);
}
