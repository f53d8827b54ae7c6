use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Method, Request, StatusCode};
use token_cache_core::ErrorKind;
use token_cache_sign_out::SignedIn;
use tokio::time;
use tower::ServiceExt;

use crate::shop::{Browser, COOKIE, Server, Shop, me, request, router};

fn with_redirect(server: &Server) -> Server {
    let layer = server.routes.session_check().redirect_to("/login").unwrap();
    Server {
        router: router(&server.routes).layer(layer),
        ..server.clone()
    }
}

#[tokio::test]
async fn a_session_that_ended_on_another_server_is_refused_and_its_cookie_dropped() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    assert_eq!(me(&ada, &shop.there).await, StatusCode::OK);
    let ticket = ada.cookie(COOKIE).unwrap().parse().unwrap();
    let session = shop.here.cache.resume(&ticket).await.unwrap();
    assert!(session.sign_out().await.unwrap().ended);

    let refused = ada.get(&shop.there, "/me").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert!(!ada.holds_ticket());
    // From now on the browser has no ticket.
    assert_eq!(ada.get(&shop.there, "/").await.body, "anybody");
}

#[tokio::test]
async fn a_living_session_comes_to_the_handler() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    assert_eq!(ada.get(&shop.there, "/me").await.body, "tokens");
    assert_eq!(ada.get(&shop.there, "/").await.body, "somebody");
}

/// The clock advances only while the test waits. A request to the store takes three seconds.
#[tokio::test(start_paused = true)]
async fn the_store_is_asked_once() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let one = Duration::from_secs(3);
    for (browser, asked) in [(&ada, one), (&Browser::default(), Duration::ZERO)] {
        shop.store.answer_late(one);
        let before = time::Instant::now();
        assert_eq!(browser.get(&shop.here, "/").await.status, StatusCode::OK);
        assert_eq!(before.elapsed().as_secs(), asked.as_secs());
        shop.store.work();
    }
}

#[tokio::test]
async fn without_a_ticket_a_request_passes_as_anybodys() {
    let shop = Shop::open().await;
    let stranger = Browser::default();
    assert_eq!(stranger.get(&shop.here, "/").await.body, "anybody");
    let refused = stranger.get(&shop.here, "/me").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_store_that_can_t_tell_neither_passes_a_request_nor_signs_it_out() {
    let shop = Shop::nameless().await;
    let ada = shop.sign_in("ada", "s1").await;
    for kind in [
        ErrorKind::Unavailable,
        ErrorKind::TimedOut,
        ErrorKind::Throttled,
        ErrorKind::Denied,
        ErrorKind::Unexpected,
        // A record of a later release, and a key of another type.
        ErrorKind::Corrupt,
        ErrorKind::Config,
        ErrorKind::Unsupported,
    ] {
        shop.store.fail_with(kind);
        for path in ["/", "/me"] {
            let unknown = ada.get(&shop.here, path).await;
            assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE, "{kind}");
            assert!(ada.holds_ticket());
        }
        let failed = ada.log_out(&shop.here).await;
        assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE, "{kind}");
        assert!(ada.holds_ticket(), "{kind}");
        let framed = ada.frame(&shop.here, "/frontchannel-logout").await;
        assert_eq!(framed.status, StatusCode::SERVICE_UNAVAILABLE, "{kind}");
        assert!(ada.holds_ticket(), "{kind}");
    }
    shop.store.work();
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn a_ticket_under_a_key_that_this_server_lacks_is_not_signed_out() {
    let shop = Shop::open().await;
    let ada = Shop::open().await.sign_in("ada", "s1").await;
    let unknown = ada.get(&shop.here, "/me").await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ada.holds_ticket());
}

/// For example, a ticket under a retired key. The browser must not be locked out as long as it has the cookie.
#[tokio::test]
async fn a_ticket_under_a_key_that_this_server_lacks_does_not_keep_its_user_from_signing_in() {
    let shop = Shop::open().await;
    let here = with_redirect(&shop.here);
    let ada = Shop::open().await.sign_in("ada", "s1").await;
    let navigate = |path: &str| Request::get(path).header("sec-fetch-mode", "navigate");

    let unknown = ada.send(&here, navigate("/me")).await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        unknown.body.contains("<a href=\"/login\">"),
        "{}",
        unknown.body
    );
    assert!(ada.holds_ticket());

    // Neither a script nor a prefetch removes it.
    let prefetch = navigate("/login").header("sec-purpose", "prefetch");
    for ahead in [Request::get("/login"), prefetch] {
        assert_eq!(ada.send(&here, ahead).await.body, "anybody");
        assert!(ada.holds_ticket());
    }
    assert_eq!(ada.send(&here, navigate("/login")).await.body, "anybody");
    assert!(!ada.holds_ticket());
    assert_eq!(ada.get(&here, "/").await.body, "anybody");
}

/// A record of a later release affects only this session.
#[tokio::test]
async fn a_session_that_can_t_be_read_does_not_keep_its_user_from_signing_in() {
    let shop = Shop::open().await;
    let here = with_redirect(&shop.here);
    let ada = shop.sign_in("ada", "s1").await;
    for (kind, status) in [
        (ErrorKind::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        (ErrorKind::Denied, StatusCode::SERVICE_UNAVAILABLE),
        (ErrorKind::Corrupt, StatusCode::OK),
    ] {
        shop.store.fail_with(kind);
        let login = Request::get("/login").header("sec-fetch-mode", "navigate");
        let tab = ada.copy();
        assert_eq!(tab.send(&here, login).await.status, status, "{kind}");
        assert_eq!(tab.holds_ticket(), status != StatusCode::OK, "{kind}");
    }
}

#[tokio::test]
async fn what_is_no_ticket_is_refused_and_dropped() {
    let shop = Shop::open().await;
    for junk in ["no-ticket", "AAAA", "\u{e4}"] {
        let browser = Browser::default();
        browser.set(COOKIE, junk);
        let refused = browser.get(&shop.here, "/").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{junk}");
        assert!(!browser.holds_ticket(), "{junk}");
    }
}

#[tokio::test]
async fn a_page_is_redirected_and_a_scripts_request_is_not() {
    let shop = Shop::open().await;
    let here = with_redirect(&shop.here);
    for (name, value, status) in [
        ("sec-fetch-mode", "navigate", StatusCode::SEE_OTHER),
        ("sec-fetch-mode", "cors", StatusCode::UNAUTHORIZED),
        ("accept", "text/html,*/*", StatusCode::SEE_OTHER),
        ("accept", "application/json", StatusCode::UNAUTHORIZED),
    ] {
        let ada = shop.sign_in("ada", "s1").await;
        let ticket = ada.copy();
        let _ = ada.log_out(&shop.there).await;
        let refused = ticket
            .send(&here, Request::get("/me").header(name, value))
            .await;
        assert_eq!(refused.status, status, "{value}");
        if status == StatusCode::SEE_OTHER {
            assert_eq!(refused.location(), "/login");
        }
        assert!(!ticket.holds_ticket());
    }
    let ada = shop.sign_in("ada", "s1").await;
    let ticket = ada.copy();
    let _ = ada.log_out(&shop.there).await;
    let post = request(&Method::POST, "/me").header("sec-fetch-mode", "navigate");
    assert_eq!(
        ticket.send(&here, post).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_page_to_sign_in_at_is_reached_also_by_who_keeps_the_ticket() {
    let shop = Shop::open().await;
    let here = with_redirect(&shop.here);
    let ada = shop.sign_in("ada", "s1").await;
    let ticket = ada.copy();
    let _ = ada.log_out(&shop.there).await;
    let page = ticket
        .send(
            &here,
            Request::get("/login").header("sec-fetch-mode", "navigate"),
        )
        .await;
    assert_eq!(page.body, "anybody");
    assert!(!ticket.holds_ticket());
}

#[tokio::test]
async fn the_sign_in_page_may_set_a_new_ticket_while_the_old_one_is_dropped() {
    let shop = Shop::open().await;
    let signs_in = |_: Option<SignedIn>| async {
        (
            [("set-cookie", "__Host-shop=new; Path=/; Secure")],
            "welcome",
        )
    };
    let layer = shop
        .here
        .routes
        .session_check()
        .redirect_to("/login")
        .unwrap();
    let router = Router::new().route("/login", get(signs_in)).layer(layer);
    let here = Server {
        router,
        ..shop.here.clone()
    };
    let ada = shop.sign_in("ada", "s1").await;
    let ticket = ada.copy();
    let _ = ada.log_out(&shop.there).await;
    let welcome = ticket.get(&here, "/login").await;
    assert_eq!(welcome.body, "welcome");
    let cookies = welcome.headers.get_all("set-cookie").iter().count();
    assert_eq!(cookies, 2, "the old one's end, and the new one");
    assert_eq!(ticket.cookie(COOKIE).as_deref(), Some("new"));
}

#[tokio::test]
async fn the_sign_out_routes_answer_also_whose_session_has_ended() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let ticket = ada.copy();
    let _ = ada.log_out(&shop.here).await;
    let _ = ticket.log_out(&shop.here).await.at_provider();
}

#[tokio::test]
async fn a_page_to_sign_in_at_is_within_the_app() {
    let shop = Shop::open().await;
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "login",
        "",
        "/\r\nx: y",
    ] {
        let layer = shop.here.routes.session_check().redirect_to(elsewhere);
        assert!(layer.is_err(), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_forgotten_layer_is_not_taken_for_a_visitor() {
    let shop = Shop::open().await;
    let bare = router(&shop.here.routes);
    for path in ["/", "/me"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = bare.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
}
