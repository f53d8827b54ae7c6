use std::net::TcpListener;

use serde_json::json;

use super::{
    CALLBACK, DevelopmentProvider, RegisteredClient, Settings, World,
    app::{App, Tokens, claims},
    back_channel::{endpoint, logout_token},
    browser::Browser,
    shop, world, world_of,
};

const TUTORIAL: &str = "a-tutorial's-app";

/// A provider without a registered client, and a tutorial's app at this URI.
fn nothing_registered(redirect_uri: &str, secret: Option<&str>) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let provider = DevelopmentProvider::start(listener, [], Settings::default()).unwrap();
    let client = RegisteredClient {
        id: TUTORIAL.to_owned(),
        secret: secret.map(str::to_owned),
        redirect_uris: vec![redirect_uri.to_owned()],
        ..RegisteredClient::default()
    };
    World {
        app: App::new(&provider, client),
        provider,
        browser: Browser::default(),
    }
}

#[tokio::test]
async fn any_app_on_this_machine_signs_users_in_without_a_registration() {
    for uri in [
        "http://localhost:3000/callback",
        "http://127.0.0.1:8080/auth/cb?from=here",
        "http://[::1]:9/",
    ] {
        for secret in [None, Some("whatever it was given")] {
            let mut world = nothing_registered(uri, secret);
            let World { app, browser, .. } = &mut world;
            let page = browser.get(app.authorize(&[("redirect_uri", uri)])).await;
            let back = browser.sign_in(&page, "Ada").await;
            assert!(back.location().as_str().starts_with(uri), "{uri}");
            let code = back.sent_back("code").unwrap();
            let tokens = Tokens::of(&app.exchange(&code, &[("redirect_uri", uri)]).await);
            assert_eq!(tokens.claims()["aud"], TUTORIAL);
            let tokens = Tokens::of(&app.refresh(&tokens.refresh).await);
            assert_eq!(app.userinfo(&tokens.access).await.status(), 200);

            let after = "http://localhost:3000/bye";
            let out = app.end_session(&[
                ("id_token_hint", &tokens.id),
                ("post_logout_redirect_uri", after),
            ]);
            assert_eq!(browser.get(out).await.location().as_str(), after);
        }
    }
}

#[tokio::test]
async fn pkce_may_be_left_out_and_is_checked_where_it_is_used() {
    let mut world = nothing_registered(CALLBACK, None);
    let World { app, browser, .. } = &mut world;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let page = browser.get(app.authorize(&without)).await;
    let back = browser.sign_in(&page, "Ada").await;
    let code = back.sent_back("code").unwrap();
    // A verifier without a challenge is an attack (RFC 9700 section 2.1.1).
    assert_eq!(app.exchange(&code, &[]).await.status(), 400);

    let back = browser.get(app.authorize(&without)).await;
    let code = back.sent_back("code").unwrap();
    Tokens::of(&app.exchange(&code, &[("code_verifier", "")]).await);

    let back = browser.get(app.authorize(&[])).await;
    let code = back.sent_back("code").unwrap();
    let without = app.exchange(&code, &[("code_verifier", "")]).await;
    assert_eq!(without.status(), 400);
}

#[tokio::test]
async fn an_app_elsewhere_is_refused_and_no_browser_is_sent_there() {
    let mut world = nothing_registered(CALLBACK, None);
    for uri in [
        "https://shop.example/callback",
        "http://shop.example/callback",
        "http://localhost.shop.example/",
        "http://10.0.0.1/",
        "https://localhost:3000/callback",
        "http://localhost:3000/#fragment",
        "",
    ] {
        let reply = world
            .browser
            .get(world.app.authorize(&[("redirect_uri", uri)]))
            .await;
        assert_eq!(
            (reply.status(), reply.header("location")),
            (400, ""),
            "{uri}"
        );
        assert!(reply.text().contains("localhost"), "{}", reply.text());
        let out = world
            .app
            .end_session(&[("client_id", TUTORIAL), ("post_logout_redirect_uri", uri)]);
        let reply = world.browser.get(out).await;
        assert_eq!(reply.header("location"), "", "{uri}");
    }
}

#[tokio::test]
async fn it_is_told_of_a_sign_out_where_token_caches_routes_are() {
    let (uri, mut received) = endpoint("/backchannel-logout", &[200]).await;
    let callback = uri.replace("/backchannel-logout", "/callback");
    let mut world = nothing_registered(&callback, None);
    let World { app, browser, .. } = &mut world;
    let page = browser
        .get(app.authorize(&[("redirect_uri", &callback)]))
        .await;
    let back = browser.sign_in(&page, "Ada").await;
    let code = back.sent_back("code").unwrap();
    let tokens = Tokens::of(&app.exchange(&code, &[("redirect_uri", &callback)]).await);
    browser.post(app.at("/sign-out"), &[]).await;
    let told = claims(&logout_token(&received.try_recv().unwrap()));
    let id = tokens.claims();
    for claim in ["iss", "aud", "sub", "sid"] {
        assert_eq!(told[claim], id[claim], "{claim}");
    }
    assert_eq!(told["sub"], json!("Ada"));
    assert_eq!(world.provider.counts().back_channel_ok, 1);
}

#[tokio::test]
async fn a_registered_app_stays_exact_and_others_can_be_refused() {
    let mut open = world_of(vec![shop()], Settings::default());
    let elsewhere = open
        .app
        .authorize(&[("redirect_uri", "http://127.0.0.1:10/callback")]);
    assert_eq!(open.browser.get(elsewhere).await.status(), 400);

    let mut world = world();
    let other = world.app.authorize(&[("client_id", "other")]);
    assert_eq!(world.browser.get(other).await.status(), 400);
}
