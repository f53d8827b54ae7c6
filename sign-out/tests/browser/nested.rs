//! The routes in a nested router.

use axum::{Router, routing::get};
use http::{Request, StatusCode};
use token_cache_sign_out::SignedIn;

use crate::shop::{Browser, ISSUER, Server, Shop, me, request, router};

/// Returns the app under `/app`, with the session check outside or inside of the nested router.
fn nested(server: &Server, is_outside: bool) -> Server {
    let layer = server
        .routes
        .session_check()
        .redirect_to("/app/login")
        .unwrap();
    let docs = |visitor: Option<SignedIn>| async move {
        if visitor.is_some() {
            "docs for a user"
        } else {
            "docs"
        }
    };
    let app = router(&server.routes).route("/docs/logout", get(docs));
    let router = if is_outside {
        Router::new().nest("/app", app).layer(layer)
    } else {
        Router::new().nest("/app", app.layer(layer))
    };
    Server {
        router,
        ..server.clone()
    }
}

fn navigate(path: &str) -> http::request::Builder {
    Request::get(path).header("sec-fetch-mode", "navigate")
}

async fn log_out(browser: &Browser, server: &Server) -> crate::shop::Answer {
    let button =
        request(&http::Method::POST, "/app/logout").header("sec-fetch-site", "same-origin");
    browser.send(server, button).await
}

#[tokio::test]
async fn the_routes_answer_whatever_the_ticket_is_worth() {
    for is_outside in [true, false] {
        let shop = Shop::open().await;
        let here = nested(&shop.here, is_outside);
        let ada = shop.sign_in("ada", "s1").await;
        let ended = ada.copy();
        assert_eq!(ada.get(&here, "/app/me").await.status, StatusCode::OK);
        let state = log_out(&ada, &here).await.at_provider()["state"].clone();
        let back = format!("/app/signed-out?state={state}");
        assert_eq!(ada.get(&here, &back).await.location(), "/bye");
        // A ticket of an ended session, and a ticket that this server cannot read.
        assert_eq!(
            ended.get(&here, "/app/signed-out").await.status,
            StatusCode::OK
        );
        let _ = log_out(&ended, &here).await.at_provider();
        assert!(!ended.holds_ticket());
        let elsewhere = Shop::open().await.sign_in("ada", "s1").await;
        let forgotten = log_out(&elsewhere, &here).await;
        assert!(forgotten.body.contains("could not end the session"));
        assert!(!elsewhere.holds_ticket());

        let (ada, bob) = (
            shop.sign_in("ada", "s2").await,
            shop.sign_in("bob", "s3").await,
        );
        let path = format!("/app/frontchannel-logout?iss={ISSUER}&sid=s2");
        assert_eq!(bob.frame(&here, &path).await.status, StatusCode::OK);
        assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
        assert_eq!(me(&bob, &shop.here).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_page_of_the_apps_own_whose_path_ends_alike_is_checked() {
    for is_outside in [true, false] {
        let shop = Shop::open().await;
        let here = nested(&shop.here, is_outside);
        let ada = shop.sign_in("ada", "s1").await;
        let docs = "/app/docs/logout";
        assert_eq!(Browser::default().get(&here, docs).await.body, "docs");
        assert_eq!(ada.get(&here, docs).await.body, "docs for a user");
        let ended = ada.copy();
        let _ = ada.log_out(&shop.here).await;
        assert_eq!(
            ended.get(&here, docs).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert!(!ended.holds_ticket());
        shop.store
            .fail_with(token_cache_core::ErrorKind::Unavailable);
        let bob = Shop::open().await.sign_in("bob", "s1").await;
        assert_eq!(
            bob.get(&here, docs).await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
}

#[tokio::test]
async fn the_page_to_sign_in_at_is_known_by_the_path_that_the_browser_sees() {
    for is_outside in [true, false] {
        let shop = Shop::open().await;
        let here = nested(&shop.here, is_outside);
        let ada = shop.sign_in("ada", "s1").await;
        let ended = ada.copy();
        let _ = ada.log_out(&shop.here).await;
        let refused = ended.copy().send(&here, navigate("/app/me")).await;
        assert_eq!(refused.location(), "/app/login");
        let login = ended.send(&here, navigate("/app/login")).await;
        assert_eq!(login.body, "anybody");
        assert!(!ended.holds_ticket());
    }
}
