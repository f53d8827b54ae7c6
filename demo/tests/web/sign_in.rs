use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use serde_json::Value;

use crate::{at, browser::Browser, three_servers};

#[tokio::test]
async fn who_is_signed_in_on_one_server_is_so_on_all() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    assert_eq!(browser.everywhere(&web).await, [200, 200, 200]);
    assert_eq!(Browser::new().everywhere(&web).await, [401, 401, 401]);
}

#[tokio::test]
async fn the_request_to_the_provider_has_all_that_guards_it() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let page = browser.get(&at(&web, 'B', "/login?prompt=login")).await;
    let request = page.redirect().unwrap();
    let value = |name: &str| {
        let found = request.query_pairs().find(|(is, _)| is == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
    };
    assert!(request.as_str().starts_with(web.issuer()));
    assert_eq!(value("response_type"), "code");
    assert_eq!(value("redirect_uri"), at(&web, 'B', "/callback"));
    assert_eq!(value("code_challenge_method"), "S256");
    // The scope `offline_access` needs the consent (OpenID Connect Core 1.0, section 11).
    assert_eq!(value("prompt"), "login consent");
    for guard in ["state", "nonce", "code_challenge", "max_age"] {
        assert!(!value(guard).is_empty(), "{guard}");
    }
    let cookie = page.header("set-cookie");
    assert!(cookie.contains(&value("state")), "{cookie}");
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");

    let other = browser.get(&at(&web, 'B', "/login?prompt=none")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn two_attempts_in_two_tabs_do_not_disturb_each_other() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let first = browser.visit(&at(&web, 'A', "/login")).await;
    let second = browser.visit(&at(&web, 'B', "/login")).await;
    let second = browser.type_name(second, "Ada").await;
    let page = browser.follow(second).await;
    assert_eq!(page.url.as_str(), at(&web, 'B', "/"));
    let first = browser.type_name(first, "Ada").await;
    let page = browser.follow(first).await;
    assert_eq!(page.url.as_str(), at(&web, 'A', "/"));
    assert_eq!(browser.everywhere(&web).await, [200, 200, 200]);
}

#[tokio::test]
async fn a_callback_that_did_not_begin_in_this_browser_signs_nobody_in() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let page = browser.visit(&at(&web, 'A', "/login")).await;
    let callback = browser.type_name(page, "Mallory").await.redirect().unwrap();

    let mut victim = Browser::new();
    let page = victim.visit(callback.as_str()).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert_eq!(victim.everywhere(&web).await, [401, 401, 401]);
    for path in ["/callback", "/callback?state=x", "/callback?code=x&state="] {
        let page = victim.get(&at(&web, 'A', path)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{path}");
    }

    // A code is good once.
    assert_eq!(browser.visit(callback.as_str()).await.status, 200);
    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_the_provider_refuses_is_said_as_text() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let page = browser.get(&at(&web, 'A', "/login")).await;
    let request = page.redirect().unwrap();
    let state = request.query_pairs().find(|(name, _)| name == "state");
    let state = state.unwrap().1.into_owned();
    let path = format!("/callback?state={state}&error=%3Cscript%3E");
    let page = browser.get(&at(&web, 'A', &path)).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
}

#[tokio::test]
async fn a_sign_in_that_a_sign_out_overtook_is_refused_and_offered_again_once() {
    let web = three_servers().await;
    let mut here = Browser::new();
    let mut there = Browser::new();
    let mut way_on = "/login".to_owned();
    for is_offered in [true, false] {
        here.sign_in(&web, 'A', "Ada").await;
        let page = there.visit(&at(&web, 'B', &way_on)).await;
        let callback = there.type_name(page, "Ada").await;
        here.post(&at(&web, 'C', "/logout"), &[]).await;
        let page = there.follow(callback).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
        assert_eq!(there.everywhere(&web).await, [401, 401, 401]);
        assert_eq!(page.body.contains("Sign in again"), is_offered);
        if is_offered {
            way_on = page.between("class=\"button\" href=\"", "\"");
            assert!(way_on.contains("prompt=login"), "{way_on}");
        }
    }
    let page = there.visit(&at(&web, 'B', "/login?prompt=login")).await;
    let page = there.type_name(page, "Ada").await;
    let page = there.follow(page).await;
    assert_eq!(page.status, 200);
    assert_eq!(there.everywhere(&web).await, [200, 200, 200]);
}

/// The code is exchanged by then, so there is a refresh token that no session has.
#[tokio::test]
async fn a_sign_in_whose_id_token_is_not_accepted_leaves_no_refresh_token_behind() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let page = browser.get(&at(&web, 'A', "/login")).await;
    let cookie = page.header("set-cookie").to_owned();
    let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    // The cookie says in front when it was set.
    let (set_at, value) = value.split_once('.').unwrap();
    let json = BASE64_URL_SAFE_NO_PAD.decode(value).unwrap();
    let mut started: Value = serde_json::from_slice(&json).unwrap();
    started["nonce"] = "another".into();
    let value = BASE64_URL_SAFE_NO_PAD.encode(started.to_string());
    let value = format!("{set_at}.{value}");
    let page = browser.follow(page).await;
    let callback = browser.type_name(page, "Ada").await;
    browser.hold(&web, name, &value);
    let page = browser.follow(callback).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.body);
    assert!(page.body.contains("ID token"), "{}", page.body);
    assert_eq!(browser.everywhere(&web).await, [401, 401, 401]);
    let counts = web.development_provider().unwrap().counts();
    assert_eq!(counts.revocations, 1, "{counts:?}");
}
