use reqwest::StatusCode;
use serde_json::Value;

use crate::{at, browser::Browser, three_servers, watcher::Watcher};

#[tokio::test]
async fn an_answer_that_comes_in_after_the_sign_out_brings_nothing_back() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    let out = browser.clone();
    let mut watcher = Watcher::open(&out, &at(&web, 'A', "/events")).await;

    let page = browser
        .post(&at(&web, 'C', "/demo/slow-refresh"), &[])
        .await;
    assert_eq!(page.status, StatusCode::ACCEPTED, "{}", page.body);
    assert_eq!(page.json()["state"], "in_flight");
    let provider = web.development_provider().unwrap();
    assert_eq!(provider.counts().refreshes, 1);

    browser.post(&at(&web, 'B', "/logout"), &[]).await;
    let of_kind = |kind: &'static str| move |event: &Value| event["kind"] == kind;
    let erred = watcher.until("told", of_kind("plain_erred")).await;
    assert_eq!(erred["server"], "C");
    let refused = watcher.until("told", of_kind("refused")).await;
    assert_eq!(refused["server"], "C");
    assert_eq!(out.everywhere(&web).await, [401, 401, 401]);
    assert!(provider.counts().revocations >= 1);

    // The plain cache holds a token that must not be used.
    let mut after = Watcher::open(&out, &at(&web, 'B', "/events")).await;
    let state = after.until("state", |_| true).await;
    assert_eq!(state["token_cache"]["state"], "signed_out");
    assert_eq!(state["plain_cache"]["state"], "holds");
}

#[tokio::test]
async fn a_slow_refresh_is_for_who_is_signed_in_and_for_these_servers_pages() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let slow = at(&web, 'A', "/demo/slow-refresh");
    let page = browser.post(&slow, &[]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    browser.sign_in(&web, 'A', "Ada").await;
    let elsewhere = "https://elsewhere.example";
    let page = browser.post_from(&slow, elsewhere, "cross-site").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(web.development_provider().unwrap().counts().refreshes, 0);
}
