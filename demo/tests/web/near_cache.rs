use reqwest::StatusCode;
use serde_json::Value;
use token_cache_demo::Web;

use crate::{at, browser::Browser, three_servers, watcher::Watcher};

/// Signs in, and watches server C until it has copies and may serve them.
async fn watching_the_near_cache_on_c(web: &Web) -> (Browser, Watcher) {
    let mut browser = Browser::new();
    browser.sign_in(web, 'A', "Ada").await;
    // The page's own looks leave copies.
    let mut page = Watcher::open(&browser, &at(web, 'C', "/events")).await;
    page.until("copies", |copies| {
        has_near_cache(copies) && has_lease(copies)
    })
    .await;
    (browser, page)
}

fn has_near_cache(copies: &Value) -> bool {
    copies["copies"].as_u64().unwrap() > 0
}

fn has_lease(copies: &Value) -> bool {
    copies["lease_left_ms"]
        .as_u64()
        .is_some_and(|left| left > 0)
}

#[tokio::test]
async fn an_open_page_sees_cached_entries_serve_and_go_with_the_sign_out_on_another_server() {
    let web = three_servers().await;
    let (mut browser, mut page) = watching_the_near_cache_on_c(&web).await;
    page.until("copies", |copies| copies["served"].as_u64().unwrap() > 0)
        .await;

    browser.post(&at(&web, 'A', "/logout"), &[]).await;
    page.until("copies", |copies| !has_near_cache(copies)).await;
}

#[tokio::test]
async fn a_sign_out_waits_for_the_server_whose_backplane_is_cut_and_then_none_serves_the_user() {
    let web = three_servers().await;
    let (mut browser, mut page) = watching_the_near_cache_on_c(&web).await;
    let out = browser.clone();
    let cut = browser.post(&at(&web, 'C', "/demo/link/cut"), &[]).await;
    assert_eq!(cut.json()["link"], "cut");

    let signed_out = browser.post(&at(&web, 'A', "/logout"), &[]).await;
    assert!(signed_out.status.is_redirection(), "{}", signed_out.body);
    assert_eq!(out.everywhere(&web).await, [401, 401, 401]);
    let told = page
        .until("told", |told| told["kind"] == "signed_out")
        .await;
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("for C, out of reach"), "{text}");
    // A page that is opened now gets the current state at once.
    let mut page = Watcher::open(&out, &at(&web, 'C', "/events")).await;
    let copies = page.until("copies", |_| true).await;
    assert!(copies["link"] == "cut" && !has_lease(&copies), "{copies}");

    browser.post(&at(&web, 'C', "/demo/link/mend"), &[]).await;
    page.until("copies", |copies| {
        copies["link"] == "open" && has_lease(copies) && !has_near_cache(copies)
    })
    .await;
}

#[tokio::test]
async fn what_is_called_through_a_server_says_whether_the_store_was_asked() {
    let web = three_servers().await;
    let (mut browser, _page) = watching_the_near_cache_on_c(&web).await;
    // B has read nothing yet.
    assert_eq!(browser.me(&web, 'B').await.1["tokens"]["from"], "store");
    while browser.me(&web, 'B').await.1["tokens"]["from"] != "near_cache" {}
}

#[tokio::test]
async fn only_the_pages_of_these_servers_may_cut_a_link() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let cut = at(&web, 'B', "/demo/link/cut");
    let elsewhere = browser
        .post_from(&cut, "https://elsewhere.example", "cross-site")
        .await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let sibling = web.origins()[2].clone();
    let answer = browser.post_from(&cut, &sibling, "same-site").await;
    assert_eq!(answer.json()["link"], "cut");
}
