use super::{RegisteredClient, SIGNED_OUT, World, registered_alone, shop, world, world_of};

async fn is_signed_in(world: &mut World) -> bool {
    let home = world.browser.get(world.app.at("/")).await;
    home.text().contains("signed in as")
}

#[tokio::test]
async fn an_app_signs_its_user_out_and_is_sent_its_state() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    assert!(is_signed_in(&mut world).await);
    let url = world.app.end_session(&[
        ("id_token_hint", &tokens.id),
        ("post_logout_redirect_uri", SIGNED_OUT),
        ("state", "a & b"),
    ]);
    let reply = world.browser.get(url).await;
    assert_eq!(
        reply.location().as_str(),
        format!("{SIGNED_OUT}?state=a+%26+b")
    );
    assert_eq!(world.browser.cookie(), None);
    assert!(!is_signed_in(&mut world).await);
    let silent = world.app.authorize(&[("prompt", "none")]);
    let reply = world.browser.get(silent).await;
    assert_eq!(reply.sent_back("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_request_that_is_not_in_order_ends_nothing_and_leads_nowhere() {
    let other = RegisteredClient {
        id: "other".to_owned(),
        post_logout_redirect_uris: vec!["http://127.0.0.1:9/other".to_owned()],
        ..shop()
    };
    let mut world = world_of(vec![shop(), other], registered_alone());
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    let hint = ("id_token_hint", tokens.id.as_str());
    let (forged, to) = (format!("{}A", tokens.id), "post_logout_redirect_uri");
    let slash = format!("{SIGNED_OUT}/");
    for parameters in [
        vec![hint, (to, &slash)],
        vec![hint, (to, "https://evil.example/")],
        vec![hint, (to, "http://127.0.0.1:9/other")],
        vec![hint, (to, "http://127.0.0.1:9/callback")],
        vec![(to, SIGNED_OUT)],
        vec![("client_id", "other"), (to, SIGNED_OUT)],
        vec![hint, ("client_id", "other")],
        vec![("client_id", "nobody")],
        vec![("id_token_hint", &forged)],
        vec![("id_token_hint", "nonsense")],
        vec![hint, (to, SIGNED_OUT), (to, SIGNED_OUT)],
    ] {
        let reply = world.browser.get(world.app.end_session(&parameters)).await;
        assert_eq!(reply.status(), 400, "{parameters:?}");
        assert_eq!(reply.header("location"), "");
        assert!(is_signed_in(&mut world).await, "{parameters:?}");
    }
}

#[tokio::test]
async fn a_look_at_the_address_signs_nobody_out() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    let url = world.app.end_session(&[("id_token_hint", &tokens.id)]);
    let head = axum::http::Request::head(url).body(http_body_util::Full::default());
    assert_eq!(world.browser.send(head.unwrap()).await.status(), 405);
    assert!(is_signed_in(&mut world).await);
}

#[tokio::test]
async fn without_a_hint_the_user_is_asked_first() {
    let mut world = world();
    world.app.sign_in(&mut world.browser, "Ada").await;
    let url = world.app.end_session(&[
        ("client_id", "shop"),
        ("post_logout_redirect_uri", SIGNED_OUT),
        ("state", "s"),
    ]);
    let page = world.browser.get(&url).await;
    let interaction = page.interaction();
    assert!(is_signed_in(&mut world).await);

    let confirmed = world.app.at("/end_session/confirmed");
    let form = [("interaction", interaction.as_str())];
    let mut foreign = super::browser::posted(&confirmed, &form);
    let site = "cross-site".parse().unwrap();
    foreign.headers_mut().insert("sec-fetch-site", site);
    assert_eq!(world.browser.send(foreign).await.status(), 403);
    assert!(is_signed_in(&mut world).await);

    let reply = world.browser.post(&confirmed, &form).await;
    assert_eq!(reply.location().as_str(), format!("{SIGNED_OUT}?state=s"));
    assert!(!is_signed_in(&mut world).await);
    assert_eq!(world.browser.post(&confirmed, &form).await.status(), 400);
    // Without a session there is no question.
    let again = world.browser.get(&url).await;
    assert_eq!(again.location().as_str(), format!("{SIGNED_OUT}?state=s"));
}

#[tokio::test]
async fn another_browsers_id_token_does_not_sign_this_one_out_unasked() {
    let mut world = world();
    let here = world.app.sign_in(&mut world.browser, "Ada").await;
    let mut elsewhere = super::Browser::default();
    let there = world.app.sign_in(&mut elsewhere, "Ada").await;
    assert_ne!(here.claims()["sid"], there.claims()["sid"]);
    let hint = [("id_token_hint", there.id.as_str())];
    let page = world.browser.get(world.app.end_session(&hint)).await;
    page.interaction();
    assert!(is_signed_in(&mut world).await);
    assert_eq!(world.provider.counts().sign_outs, 0);
}

#[tokio::test]
async fn a_form_that_was_posted_across_sites_brings_no_cookie_and_ends_the_session_it_names() {
    let mut world = world();
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    let form = [("id_token_hint", tokens.id.as_str())];
    let url = world.app.at("/end_session");
    let reply = super::Browser::default().post(url, &form).await;
    assert_eq!(reply.status(), 200);
    assert!(!is_signed_in(&mut world).await);
}

#[tokio::test]
async fn what_was_granted_for_offline_access_survives_and_nothing_else_does() {
    let mut world = world();
    let offline = world.app.sign_in(&mut world.browser, "Ada").await;
    let online = world.app.authorize(&[("scope", "openid")]);
    let code = world.browser.get(&online).await.sent_back("code").unwrap();
    let online_tokens = super::app::Tokens::of(&world.app.exchange(&code, &[]).await);
    let late = world.browser.get(&online).await.sent_back("code").unwrap();
    world.browser.post(world.app.at("/sign-out"), &[]).await;
    assert_eq!(
        world.app.refresh(&online_tokens.refresh).await.status(),
        400
    );
    assert_eq!(
        world.app.userinfo(&online_tokens.access).await.status(),
        401
    );
    assert_eq!(world.app.exchange(&late, &[]).await.status(), 400);
    assert_eq!(world.app.refresh(&offline.refresh).await.status(), 200);
}

#[tokio::test]
async fn the_providers_own_button_signs_out() {
    let mut world = world();
    world.app.sign_in(&mut world.browser, "<b>Ada</b>").await;
    let home = world.browser.get(world.app.at("/")).await;
    assert!(
        home.text().contains("&lt;b&gt;Ada&lt;/b&gt;"),
        "{}",
        home.text()
    );
    let button = world.app.at("/sign-out");
    let mut foreign = super::browser::posted(&button, &[]);
    let origin = "http://127.0.0.1:9".parse().unwrap();
    foreign.headers_mut().insert("origin", origin);
    assert_eq!(world.browser.send(foreign).await.status(), 403);
    assert!(is_signed_in(&mut world).await);
    let reply = world.browser.post(&button, &[]).await;
    assert!(reply.text().contains("You are signed out."));
    assert!(!is_signed_in(&mut world).await);
    assert_eq!(world.provider.counts().sign_outs, 1);
}
