use std::time::Duration;

use super::{
    Browser, RegisteredClient, Settings, World,
    app::{Tokens, VERIFIER, basic},
    browser::{Reply, posted},
    shop, world, world_of,
};

#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!(reply.status(), status, "{}", reply.text());
    assert_eq!(reply.json()["error"], error);
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_code_needs_what_belongs_to_it() {
    let mut world = world();
    let World { app, browser, .. } = &mut world;
    let other = "another-code-verifier-of-fifty-characters-and-more";
    let long = "a".repeat(129);
    for changes in [
        [("code_verifier", "")],
        [("code_verifier", other)],
        [("code_verifier", &long)],
        [("redirect_uri", "")],
        [("redirect_uri", "http://127.0.0.1:9/")],
        [("code", "none")],
        [("code", "")],
    ] {
        let code = app.code(browser, "Ada").await;
        refused(&app.exchange(&code, &changes).await, 400, "invalid_grant");
        if changes[0].0 != "code" {
            let again = app.exchange(&code, &[]).await;
            refused(&again, 400, "invalid_grant");
        }
    }
    let code = app.code(browser, "Ada").await;
    for (grant_type, error) in [
        ("password", "unsupported_grant_type"),
        ("", "invalid_request"),
    ] {
        let reply = app.exchange(&code, &[("grant_type", grant_type)]).await;
        refused(&reply, 400, error);
    }
    let ok = app.exchange(&code, &[]).await;
    assert_eq!(ok.header("cache-control"), "no-store");
    assert_eq!(ok.header("pragma"), "no-cache");
    assert_eq!(ok.json()["token_type"], "Bearer");
}

#[tokio::test]
async fn a_code_that_comes_twice_revokes_what_it_gave() {
    let mut world = world();
    let code = world.app.code(&mut world.browser, "Ada").await;
    let tokens = Tokens::of(&world.app.exchange(&code, &[]).await);
    assert_eq!(world.app.userinfo(&tokens.access).await.status(), 200);
    refused(&world.app.exchange(&code, &[]).await, 400, "invalid_grant");
    refused(
        &world.app.userinfo(&tokens.access).await,
        401,
        "invalid_token",
    );
    refused(
        &world.app.refresh(&tokens.refresh).await,
        400,
        "invalid_grant",
    );
    assert_eq!(world.provider.counts().reuses, 1);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_revokes_its_successors() {
    let mut world = world();
    let first = world.app.sign_in(&mut world.browser, "Ada").await;
    let second = Tokens::of(&world.app.refresh(&first.refresh).await);
    assert_eq!(second.claims()["sid"], first.claims()["sid"]);
    assert_eq!(second.claims()["auth_time"], first.claims()["auth_time"]);
    assert_eq!(second.claims().get("nonce"), None);
    let third = Tokens::of(&world.app.refresh(&second.refresh).await);
    assert_eq!(world.app.userinfo(&third.access).await.status(), 200);

    refused(
        &world.app.refresh(&first.refresh).await,
        400,
        "invalid_grant",
    );
    refused(
        &world.app.refresh(&third.refresh).await,
        400,
        "invalid_grant",
    );
    refused(
        &world.app.userinfo(&third.access).await,
        401,
        "invalid_token",
    );
    let counts = world.provider.counts();
    assert_eq!((counts.refreshes, counts.reuses), (2, 1));
}

#[tokio::test]
async fn what_is_revoked_is_good_for_nothing() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    assert_eq!(world.app.revoke(&tokens.access).await.status(), 200);
    refused(
        &world.app.userinfo(&tokens.access).await,
        401,
        "invalid_token",
    );
    let tokens = Tokens::of(&world.app.refresh(&tokens.refresh).await);
    assert_eq!(world.app.revoke(&tokens.refresh).await.status(), 200);
    refused(
        &world.app.refresh(&tokens.refresh).await,
        400,
        "invalid_grant",
    );
    refused(
        &world.app.userinfo(&tokens.access).await,
        401,
        "invalid_token",
    );
    assert_eq!(world.app.revoke("unknown").await.status(), 200);
    assert_eq!(world.provider.counts().revocations, 2);
    assert_eq!(world.provider.counts().reuses, 0);
}

#[tokio::test]
async fn an_access_token_expires() {
    let settings = Settings {
        access_token_lifetime: Duration::ZERO,
        ..Settings::default()
    };
    let mut world = world_of(vec![shop()], settings);
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    let reply = world.app.userinfo(&tokens.access).await;
    refused(&reply, 401, "invalid_token");
    assert!(reply.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn a_client_with_a_secret_proves_it() {
    let mut world = world();
    let code = world.app.code(&mut world.browser, "Ada").await;
    let token = world.app.at("/token");
    let usual = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", super::CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let secret = world.app.client.secret.clone().unwrap();
    for (id, secret) in [
        ("shop", Some("wrong")),
        ("shop", Some("")),
        ("shop", None),
        ("other", Some(secret.as_str())),
    ] {
        let mut form = usual.to_vec();
        form.push(("client_id", id));
        form.extend(secret.map(|secret| ("client_secret", secret)));
        let reply = world.browser.post(&token, &form).await;
        refused(&reply, 401, "invalid_client");
        let mut request = posted(&token, &usual);
        let header = basic(id, secret.unwrap_or("")).parse().unwrap();
        request.headers_mut().insert("authorization", header);
        let reply = Browser::default().send(request).await;
        refused(&reply, 401, "invalid_client");
        assert!(reply.header("www-authenticate").starts_with("Basic"));
    }
    let mut both = posted(
        &token,
        &[&usual[..], &[("client_secret", &secret)]].concat(),
    );
    let header = basic("shop", &secret).parse().unwrap();
    both.headers_mut().insert("authorization", header);
    refused(&Browser::default().send(both).await, 400, "invalid_request");

    // None of this spent the code, and the secret may come in the form.
    let form = [
        &usual[..],
        &[("client_id", "shop"), ("client_secret", &secret)],
    ]
    .concat();
    Tokens::of(&world.browser.post(&token, &form).await);
}

#[tokio::test]
async fn a_client_without_a_secret_is_known_by_its_code_verifier() {
    let client = RegisteredClient {
        secret: None,
        ..shop()
    };
    let mut world = world_of(vec![client], Settings::default());
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    Tokens::of(&world.app.refresh(&tokens.refresh).await);
}

#[tokio::test]
async fn another_client_can_use_and_spend_nothing() {
    let other = RegisteredClient {
        id: "other".to_owned(),
        secret: Some("other".to_owned()),
        ..shop()
    };
    let mut world = world_of(vec![shop(), other.clone()], Settings::default());
    let thief = super::App::new(&world.provider, other);
    let code = world.app.code(&mut world.browser, "Ada").await;
    refused(&thief.exchange(&code, &[]).await, 400, "invalid_grant");
    let tokens = Tokens::of(&world.app.exchange(&code, &[]).await);
    refused(&thief.refresh(&tokens.refresh).await, 400, "invalid_grant");
    assert_eq!(thief.revoke(&tokens.refresh).await.status(), 200);
    Tokens::of(&world.app.refresh(&tokens.refresh).await);
    assert_eq!(world.provider.counts().revocations, 0);
}
