use reqwest::{Method, header::HeaderMap};

use crate::{at, browser::Browser, three_servers};

#[tokio::test]
async fn the_page_runs_its_own_script_and_no_other() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let page = browser.get(&at(&web, 'A', "/")).await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for sibling in web.origins() {
        assert!(policy.contains(sibling), "{policy}");
    }
    for file in [
        "/style.css",
        "/copies.css",
        "/app.js",
        "/copies.js",
        "/icon.svg",
    ] {
        assert!(page.body.contains(file), "{file}");
        assert_eq!(browser.get(&at(&web, 'A', file)).await.status, 200);
    }
    for inline in ["<style", "style=", "onclick", "http://", "https://"] {
        assert!(!page.body.contains(inline), "{inline}");
    }
    let about = browser.get(&at(&web, 'B', "/demo.json")).await.json();
    assert_eq!(about["here"], "B");
    assert_eq!(about["servers"][2]["origin"], web.origins()[2]);
    assert_eq!(about["provider"]["for_development"], true);
}

#[tokio::test]
async fn by_another_name_of_the_host_the_browser_is_sent_to_the_right_one() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let other_name = at(&web, 'A', "/").replace("127.0.0.1", "localhost");
    let page = browser.get(&other_name).await;
    assert_eq!(page.redirect().unwrap().as_str(), at(&web, 'A', "/"));
}

#[tokio::test]
async fn another_server_s_page_may_ask_and_nobody_else_s() {
    let web = three_servers().await;
    let mut browser = Browser::new();
    let url = at(&web, 'A', "/api/me");
    let mut allowed = async |origin: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("origin", origin.parse().unwrap());
        let page = browser.send(Method::GET, &url, headers, None).await;
        page.header("access-control-allow-origin").to_owned()
    };
    let sibling = &web.origins()[2];
    assert_eq!(&allowed(sibling).await, sibling);
    assert_eq!(allowed("https://elsewhere.example").await, "");
    assert_eq!(allowed("null").await, "");
}
