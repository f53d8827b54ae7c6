use serde_json::json;

use crate::{at, browser::Browser, three_servers};

const TICKET: &str = "token-cache-demo";

#[tokio::test]
async fn every_server_says_that_it_is_there() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    for server in ['A', 'B', 'C'] {
        let page = browser.get(&at(&web, server, "/healthz")).await;
        assert_eq!(page.status, 200);
        assert_eq!(
            page.json(),
            json!({"status": "ok", "server": server.to_string()})
        );
    }
    web.stop().await;
}

#[tokio::test]
async fn me_names_the_account_the_session_and_the_state_of_the_tokens_and_no_token() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    assert_eq!(
        browser.me(&web, 'A').await,
        (401, json!({"error": "not_signed_in", "server": "A"}))
    );
    browser.sign_in(&web, 'A', "Ada").await;
    let (status, me) = browser.me(&web, 'B').await;
    assert_eq!(status, 200);
    assert_eq!(me["server"], "B");
    assert_eq!(
        me["account"],
        json!({"issuer": web.issuer(), "subject": "Ada", "name": "Ada"})
    );
    assert!(me["session"]["sid"].is_string(), "{me}");
    assert!(me["session"]["auth_time"].is_i64(), "{me}");
    assert!(me["session"]["ends_at_ms"].is_u64(), "{me}");
    assert_eq!(me["tokens"]["state"], "fresh");
    assert_eq!(me["tokens"]["token"].as_str().unwrap().len(), 6);
    assert!(me["tokens"]["expires_at_ms"].is_u64(), "{me}");
    assert_eq!(me["tokens"]["refreshable"], true);

    let out = browser.clone();
    browser.post(&at(&web, 'C', "/logout"), &[]).await;
    let (status, refused) = out.clone().me(&web, 'A').await;
    assert_eq!(
        (status, refused),
        (401, json!({"error": "signed_out", "server": "A"}))
    );
}

#[tokio::test]
async fn the_cookie_of_a_session_that_has_ended_dies_with_it() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&web, 'A', "Ada").await;
    let mut out = browser.clone();
    browser.post(&at(&web, 'B', "/logout"), &[]).await;
    assert_eq!(out.me(&web, 'C').await.1["error"], "signed_out");
    assert_eq!(out.me(&web, 'C').await.1["error"], "not_signed_in");
}

#[tokio::test]
async fn what_is_no_ticket_is_nobody_s_and_is_dropped() {
    let web = three_servers().await;
    for junk in ["", "no-ticket", "AAAA"] {
        let mut browser = Browser::new();
        browser.hold(&web, TICKET, junk);
        let page = browser.get(&at(&web, 'A', "/api/me")).await;
        assert_eq!(page.status, 401, "{junk}: {}", page.body);
        assert_eq!(page.json()["error"], "not_signed_in");
        assert!(page.headers.contains_key("set-cookie"), "{junk}");
        let page = browser.get(&at(&web, 'A', "/api/me")).await;
        assert!(!page.headers.contains_key("set-cookie"), "{junk}");
    }
}

/// With a secret that is a random one of this process, no server has the key that an older ticket is under.
#[tokio::test]
async fn a_ticket_from_before_a_restart_is_nobody_s_where_the_secret_went_with_it() {
    let before = three_servers().await;
    let mut browser = Browser::new();
    browser.sign_in(&before, 'A', "Ada").await;
    before.stop().await;
    let after = three_servers().await;
    let page = browser.get(&at(&after, 'B', "/api/me")).await;
    assert_eq!(page.status, 401, "{}", page.body);
    assert_eq!(page.json()["error"], "not_signed_in");
    assert!(page.headers.contains_key("set-cookie"), "it is dropped");
    browser.sign_in(&after, 'B', "Ada").await;
    assert_eq!(browser.me(&after, 'C').await.0, 200);
}
