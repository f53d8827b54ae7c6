use reqwest::StatusCode;
use url::form_urlencoded::byte_serialize;

use crate::{at, browser::Browser, three_servers, watcher::Watcher};

#[tokio::test]
async fn a_sign_out_on_one_server_ends_it_on_all_and_at_the_provider() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    let out = browser.clone();

    let page = browser.post(&at(&web, 'B', "/logout"), &[]).await;
    let to_provider = page.redirect().unwrap();
    assert!(
        to_provider.as_str().starts_with(web.issuer()),
        "{to_provider}"
    );
    assert_eq!(out.everywhere(&web).await, [401, 401, 401]);

    let page = browser.visit(to_provider.as_str()).await;
    assert_eq!(page.status, 200);
    let provider = web.development_provider().unwrap();
    assert_eq!(provider.counts().sign_outs, 1);
    let back = page.between(&at(&web, 'B', "/signed-out"), "\"");
    let back = format!("{}{back}", at(&web, 'B', "/signed-out"));
    let page = browser.visit(&back).await;
    assert_eq!(page.url.as_str(), at(&web, 'B', "/"));

    // The provider asks for a name again.
    let page = browser.visit(&at(&web, 'C', "/login")).await;
    assert!(page.body.contains("Your name"), "{}", page.body);
}

#[tokio::test]
async fn a_sign_out_at_the_provider_ends_it_on_all_once_it_has_answered() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    browser.sign_in(&web, 'B', "Ada").await;
    assert_eq!(browser.everywhere(&web).await, [200, 200, 200]);

    let button = format!("{}/sign-out", web.issuer());
    let page = browser.post(&button, &[]).await;
    assert_eq!(page.status, 200);
    assert_eq!(browser.everywhere(&web).await, [401, 401, 401]);
    let counts = web.development_provider().unwrap().counts();
    assert!(counts.back_channel_ok >= 1, "{counts:?}");
    assert_eq!(counts.back_channel_ok, counts.back_channel_sent);
}

#[tokio::test]
async fn of_two_browsers_only_the_one_whose_session_the_provider_names_is_signed_out() {
    let web = three_servers().await;
    let mut one = Browser::new();
    let mut other = Browser::new();
    one.sign_in(&web, 'A', "Ada").await;
    other.sign_in(&web, 'B', "Ada").await;
    let page = one.post(&format!("{}/sign-out", web.issuer()), &[]).await;
    assert_eq!(page.status, 200);
    assert_eq!(one.everywhere(&web).await, [401, 401, 401]);
    assert_eq!(other.everywhere(&web).await, [200, 200, 200]);
}

#[tokio::test]
async fn the_front_channel_needs_no_cookie() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    let mut other = Browser::new();
    other.sign_in(&web, 'A', "Ada").await;
    let (_, me) = browser.clone().me(&web, 'A').await;
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let path = format!(
        "/frontchannel-logout?iss={}&sid={}",
        encoded(web.issuer()),
        encoded(me["session"]["sid"].as_str().unwrap()),
    );
    let mut frame = browser.without_cookies();
    let page = frame.get(&at(&web, 'C', &path)).await;
    assert_eq!(page.status, 200);
    assert_eq!(browser.everywhere(&web).await, [401, 401, 401]);
    assert_eq!(other.everywhere(&web).await, [200, 200, 200]);
}

#[tokio::test]
async fn only_the_pages_of_these_servers_may_sign_a_user_out() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    let log_out = at(&web, 'B', "/logout");
    for (origin, site) in [
        ("https://elsewhere.example", "cross-site"),
        (web.issuer(), "same-site"),
        ("null", "cross-site"),
    ] {
        let page = browser.post_from(&log_out, origin, site).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let link = browser.get(&log_out).await;
    assert_eq!(link.status, StatusCode::OK);
    assert_eq!(browser.everywhere(&web).await, [200, 200, 200]);

    let sibling = web.origins()[0].clone();
    let out = browser.clone();
    let page = browser.post_from(&log_out, &sibling, "same-site").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(out.everywhere(&web).await, [401, 401, 401]);
}

#[tokio::test]
async fn an_open_page_sees_the_sign_out_on_another_server() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    let mut page = Watcher::open(&browser, &at(&web, 'C', "/events")).await;
    let state = page.until("state", |_| true).await;
    assert_eq!(state["token_cache"]["state"], "signed_in");
    assert_eq!(state["token_cache"]["name"], "Ada");
    assert_eq!(state["plain_cache"]["state"], "holds");

    browser.post(&at(&web, 'B', "/logout"), &[]).await;
    let signed_out = |state: &serde_json::Value| state["token_cache"]["state"] == "signed_out";
    page.until("state", signed_out).await;
}
