use std::time::{Duration, UNIX_EPOCH};

use super::{CALLBACK, Settings, app::Tokens, shop, world, world_of};

fn now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// `auth_time` counts in seconds.
async fn next_second() {
    let since = now();
    while now() == since {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn before_client_and_redirect_uri_are_sure_nobody_is_sent_anywhere() {
    let mut world = world();
    for changes in [
        [("client_id", "other")],
        [("client_id", "")],
        [("redirect_uri", "")],
        [("redirect_uri", "http://127.0.0.1:9/callback/")],
        [("redirect_uri", "http://127.0.0.1:9/callback?next=1")],
        [("redirect_uri", "https://evil.example/callback")],
    ] {
        let reply = world.browser.get(world.app.authorize(&changes)).await;
        assert_eq!(reply.status(), 400, "{changes:?}");
        assert_eq!(reply.header("location"), "", "{changes:?}");
    }
    let twice = format!("{}&redirect_uri={CALLBACK}", world.app.authorize(&[]));
    assert_eq!(world.browser.get(twice).await.status(), 400);
}

#[tokio::test]
async fn what_an_app_asks_wrongly_it_is_told() {
    let mut world = world();
    let sixty = "a".repeat(60);
    let huge = "a".repeat(5000);
    for (changes, error) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "unsupported_response_type"),
        ([("response_mode", "fragment")], "invalid_request"),
        ([("request", "a.b.c")], "request_not_supported"),
        ([("request_uri", "urn:x")], "request_uri_not_supported"),
        ([("scope", "profile")], "invalid_scope"),
        ([("scope", "")], "invalid_scope"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", "short")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("prompt", "none login")], "invalid_request"),
        ([("max_age", "soon")], "invalid_request"),
        ([("nonce", huge.as_str())], "invalid_request"),
        ([("prompt", "none")], "login_required"),
    ] {
        let reply = world.browser.get(world.app.authorize(&changes)).await;
        assert_eq!(
            reply.sent_back("error").as_deref(),
            Some(error),
            "{changes:?}"
        );
        assert_eq!(reply.sent_back("state").as_deref(), Some("a state"));
        assert_eq!(reply.sent_back("code"), None);
    }
    let twice = format!("{}&nonce={sixty}", world.app.authorize(&[]));
    let reply = world.browser.get(twice).await;
    assert_eq!(reply.sent_back("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn silence_is_kept_for_who_is_signed_in() {
    let mut world = world();
    world.app.sign_in(&mut world.browser, "Ada").await;
    let silent = world.app.authorize(&[("prompt", "none")]);
    assert!(world.browser.get(silent).await.sent_back("code").is_some());
    let too_old = world.app.authorize(&[("prompt", "none"), ("max_age", "0")]);
    let reply = world.browser.get(too_old).await;
    assert_eq!(reply.sent_back("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn who_is_hinted_at_has_to_be_the_one_who_is_signed_in() {
    let mut world = world();
    let bob = world.app.sign_in(&mut world.browser, "Bob").await;
    let ada = world.app.sign_in(&mut world.browser, "Ada").await;
    for (hint, expected) in [
        (ada.id.as_str(), ("code", None)),
        (&bob.id, ("error", Some("login_required"))),
        ("nonsense", ("error", Some("invalid_request"))),
    ] {
        let url = [("prompt", "none"), ("id_token_hint", hint)];
        let reply = world.browser.get(world.app.authorize(&url)).await;
        let (name, value) = expected;
        let sent_back = reply.sent_back(name);
        assert!(sent_back.is_some(), "{}", reply.location());
        assert!(value.is_none() || sent_back.as_deref() == value);
    }
}

async fn signed_in_twice(keeps_sid: bool) -> (serde_json::Value, serde_json::Value) {
    let settings = Settings {
        keeps_sid,
        ..Settings::default()
    };
    let mut world = world_of(vec![shop()], settings);
    let first = world.app.sign_in(&mut world.browser, "Ada").await.claims();
    let cookie = world.browser.cookie().unwrap().to_owned();
    next_second().await;
    let second = world.app.sign_in(&mut world.browser, "Ada").await.claims();
    assert_ne!(world.browser.cookie().unwrap(), cookie, "session fixation");
    assert_eq!(first["sub"], second["sub"]);
    assert!(first["auth_time"].as_u64() < second["auth_time"].as_u64());
    assert_eq!(world.provider.counts().sign_outs, 0);
    (first["sid"].clone(), second["sid"].clone())
}

#[tokio::test]
async fn who_must_sign_in_anew_gets_a_new_sid_or_keeps_it_by_the_setting() {
    let (first, second) = signed_in_twice(false).await;
    assert_ne!(first, second);
    let (first, second) = signed_in_twice(true).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn who_signed_in_too_long_ago_is_asked_again() {
    let mut world = world();
    world.app.sign_in(&mut world.browser, "Ada").await;
    next_second().await;
    next_second().await;
    let old = world
        .app
        .authorize(&[("max_age", "1"), ("login_hint", "A \"quoted\" <b>")]);
    let page = world.browser.get(old).await;
    assert!(
        page.text()
            .contains("value=\"A &quot;quoted&quot; &lt;b&gt;\"")
    );
    let young = world.app.authorize(&[("max_age", "1000")]);
    assert!(world.browser.get(young).await.sent_back("code").is_some());
}

#[tokio::test]
async fn another_user_in_the_same_browser_ends_the_session_of_the_first() {
    let mut world = world();
    let ada = world.app.sign_in(&mut world.browser, "Ada").await.claims();
    let bob = world.app.sign_in(&mut world.browser, "Bob").await.claims();
    assert_ne!(ada["sid"], bob["sid"]);
    assert_eq!(bob["name"], "Bob");
    assert_eq!(world.provider.counts().sign_outs, 1);
}

#[tokio::test]
async fn the_form_takes_one_name_once_and_from_its_own_page_alone() {
    let mut world = world();
    let page = world.browser.get(world.app.authorize(&[])).await;
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self' http://127.0.0.1:9")
    );
    let interaction = page.interaction();
    let url = world.app.at("/sign-in");
    let too_long = "a".repeat(65);
    for name in ["", "  ", "a\nb", too_long.as_str()] {
        let form = [("interaction", interaction.as_str()), ("name", name)];
        assert_eq!(
            world.browser.post(&url, &form).await.status(),
            400,
            "{name:?}"
        );
    }
    let form = [("interaction", interaction.as_str()), ("name", "Ada")];
    let mut foreign = super::browser::posted(&url, &form);
    let site = "same-site".parse().unwrap();
    foreign.headers_mut().insert("sec-fetch-site", site);
    assert_eq!(world.browser.send(foreign).await.status(), 403);
    assert_eq!(world.browser.cookie(), None);

    let back = world.browser.post(&url, &form).await;
    let code = back.sent_back("code").unwrap();
    Tokens::of(&world.app.exchange(&code, &[]).await);
    assert_eq!(world.browser.post(&url, &form).await.status(), 400);
}
