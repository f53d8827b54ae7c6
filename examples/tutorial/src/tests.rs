#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::{body, http::Uri};

use super::*;

async fn app(public_url: &str, offline_access: bool) -> Arc<App> {
    let metadata: ProviderMetadataWithRevocation = serde_json::from_value(serde_json::json!({
        "issuer": "https://id.example",
        "authorization_endpoint": "https://id.example/authorize",
        "token_endpoint": "https://id.example/token",
        "jwks_uri": "https://id.example/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "jwks": {"keys": []},
    }))
    .unwrap();
    let id = ClientId::new("shop".to_owned());
    Arc::new(App {
        cache: TokenCache::in_memory().await.unwrap(),
        cookie: TicketCookie::for_url(public_url, "shop").unwrap(),
        signing_in: StateCookies::for_url(public_url, "signing-in").unwrap(),
        provider: ProviderBuilder::from_metadata(&metadata, &id)
            .unwrap()
            .client_secret("secret")
            .build()
            .unwrap(),
        oidc: CoreClient::from_provider_metadata(metadata, id, None),
        offline_access,
    })
}

/// Returns the parameters of the redirect to the provider, and the cookie.
async fn sent_away(public_url: &str, path: &str) -> (String, String) {
    sent_away_from(app(public_url, false).await, path).await
}

async fn sent_away_from(app: Arc<App>, path: &str) -> (String, String) {
    let asked = Query::try_from_uri(&path.parse::<Uri>().unwrap()).unwrap();
    let (request, ()) = axum::http::Request::new(()).into_parts();
    let sent = login(State(app), asked, request).await;
    let answer = sent.ok().unwrap().into_response();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    (header("location"), header("set-cookie"))
}

#[tokio::test]
async fn after_a_refused_sign_in_the_user_authenticates_anew_and_not_before() {
    let refused = Wrong::from(token_cache::Error::signed_out("sign in")).into_response();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let page = body::to_bytes(refused.into_body(), 4096).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.contains("'/login?prompt=login'"), "{page}");
    let (location, _) = sent_away("https://shop.example", "/login?prompt=login").await;
    assert!(location.contains("&prompt=login"), "{location}");
    let (location, _) = sent_away("https://shop.example", "/login").await;
    assert!(!location.contains("prompt"), "{location}");
}

#[tokio::test]
async fn a_refresh_token_is_asked_for_with_the_users_consent() {
    let app = app("https://shop.example", true).await;
    let (location, _) = sent_away_from(Arc::clone(&app), "/login").await;
    assert!(
        location.contains("scope=openid+offline_access"),
        "{location}"
    );
    assert!(location.contains("prompt=consent"), "{location}");
    let (location, _) = sent_away_from(app, "/login?prompt=login").await;
    assert!(location.contains("prompt=login+consent"), "{location}");
}

#[tokio::test]
async fn what_a_browser_remembers_goes_over_tls_alone_and_not_for_long() {
    let (_, cookie) = sent_away("https://shop.example", "/login").await;
    assert!(cookie.starts_with("__Host-signing-in-"), "{cookie}");
    for attribute in [
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=900",
    ] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    let (_, cookie) = sent_away("http://localhost:3000", "/login").await;
    assert!(cookie.starts_with("signing-in-"), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
}
