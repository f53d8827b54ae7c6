use axum::http::Request;
use http_body_util::Full;

use super::{DevelopmentProvider, RegisteredClient, Settings, listener, shop, world};

#[tokio::test]
async fn it_listens_at_a_loopback_address_only() {
    let everywhere = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let refusal =
        DevelopmentProvider::start(everywhere, [shop()], Settings::default()).unwrap_err();
    assert!(refusal.to_string().contains("loopback"), "{refusal}");
    let client = RegisteredClient {
        redirect_uris: vec!["https://shop.example/callback".to_owned()],
        ..shop()
    };
    let refusal =
        DevelopmentProvider::start(listener(), [client], Settings::default()).unwrap_err();
    assert!(
        refusal
            .to_string()
            .contains("https://shop.example/callback"),
        "{refusal}"
    );
}

#[test]
fn without_a_runtime_it_says_so() {
    let refusal =
        DevelopmentProvider::start(listener(), [shop()], Settings::default()).unwrap_err();
    assert!(refusal.to_string().contains("Tokio"), "{refusal}");
}

#[tokio::test]
async fn a_name_that_some_web_page_pointed_here_is_not_answered() {
    let mut world = world();
    let request = Request::get(world.app.at("/"))
        .header("host", "evil.example")
        .body(Full::default())
        .unwrap();
    assert_eq!(world.browser.send(request).await.status(), 421);
}

#[tokio::test]
async fn every_answer_is_kept_by_nobody_and_framed_by_nobody() {
    let mut world = world();
    let authorize = world
        .app
        .authorize(&[])
        .replace(world.provider.issuer(), "");
    for path in [
        "/",
        "/jwks",
        "/nothing",
        "/end_session",
        "/end_session?client_id=x",
        &authorize,
    ] {
        let reply = world.browser.get(world.app.at(path)).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        if reply.header("content-type").starts_with("text/html") {
            let policy = reply.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none';"),
                "{path}: {policy}"
            );
            assert!(
                policy.contains("frame-ancestors 'none'"),
                "{path}: {policy}"
            );
        }
    }
}

/// Random bytes at every endpoint.
#[tokio::test]
async fn nonsense_is_refused_and_hurts_nobody() {
    let mut world = world();
    let long = "x=".to_owned() + &"y".repeat(15_000);
    let many = "a=b&".repeat(500);
    let huge = "x=".to_owned() + &"y".repeat(100_000);
    let bodies = [
        "",
        "&&&",
        "=",
        "%",
        "%ff%fe",
        "a=%00",
        "client_id=%00",
        &long,
        &many,
        &huge,
    ];
    for path in [
        "/authorize",
        "/sign-in",
        "/token",
        "/userinfo",
        "/revoke",
        "/end_session",
        "/end_session/confirmed",
    ] {
        for body in bodies {
            for authorization in [
                "",
                "Basic",
                "Basic !!!",
                "Basic /w==",
                "Bearer ",
                "Bearer \u{e9}",
            ] {
                let mut request = Request::post(world.app.at(path));
                if !authorization.is_empty() {
                    request = request.header("authorization", authorization);
                }
                let body = Full::from(body.as_bytes().to_vec());
                let reply = world.browser.send(request.body(body).unwrap()).await;
                let nothing_asked = path == "/end_session" && reply.status() == 200;
                assert!(
                    nothing_asked || (400..500).contains(&reply.status()),
                    "{path} {authorization:?}: {}",
                    reply.status()
                );
            }
        }
    }
    world.app.sign_in(&mut world.browser, "Ada").await;
}
