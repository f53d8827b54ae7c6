use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use token_cache_core::{AccountId, SignOutScopeKind};
use token_cache_sign_out::{ClientRegistration, IdTokenHint, SignOutCause, id_token_key};

use crate::shop::{Browser, END_SESSION, ISSUER, RETURN_TO, Shop, begin, client, me, request};

#[tokio::test]
async fn the_account_ends_in_every_browser_on_every_server() {
    let shop = Shop::open().await;
    let phone = shop.sign_in("ada", "s1").await;
    let laptop = shop.sign_in("ada", "s2").await;
    let bob = shop.sign_in("bob", "s3").await;
    let _ = phone.log_out(&shop.there).await.at_provider();
    for server in [&shop.here, &shop.there] {
        assert_eq!(me(&laptop, server).await, StatusCode::UNAUTHORIZED);
        assert_eq!(me(&bob, server).await, StatusCode::OK);
    }
    let told = shop.told().await;
    assert_eq!(told.cause, SignOutCause::RpInitiated);
    assert_eq!(told.scope, SignOutScopeKind::Account);
    assert_eq!(told.account, Some(AccountId::new(ISSUER, "ada").unwrap()));
    assert_eq!(told.provider_session.unwrap().sid(), "s1");
    assert!(told.result.unwrap().ended);
    assert!(shop.was_told_no_more().await);
}

#[tokio::test]
async fn by_option_only_the_sessions_of_the_same_provider_session_end() {
    let shop = Shop::with(|builder| {
        builder
            .client(client())
            .scope(SignOutScopeKind::ProviderSession)
    })
    .await;
    let phone = shop.sign_in("ada", "s1").await;
    let other_tab = shop.sign_in("ada", "s1").await;
    let laptop = shop.sign_in("ada", "s2").await;
    let _ = phone.log_out(&shop.here).await.at_provider();
    assert_eq!(me(&other_tab, &shop.here).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&laptop, &shop.here).await, StatusCode::OK);
    assert_eq!(shop.told().await.scope, SignOutScopeKind::ProviderSession);
}

#[tokio::test]
async fn by_option_only_this_session_ends() {
    let shop =
        Shop::with(|builder| builder.client(client()).scope(SignOutScopeKind::Session)).await;
    let phone = shop.sign_in("ada", "s1").await;
    let other_tab = shop.sign_in("ada", "s1").await;
    let ticket = phone.copy();
    let _ = phone.log_out(&shop.here).await.at_provider();
    assert_eq!(me(&ticket, &shop.here).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&other_tab, &shop.here).await, StatusCode::OK);
    assert_eq!(shop.told().await.scope, SignOutScopeKind::Session);
}

#[tokio::test]
async fn without_a_ticket_the_browser_goes_to_the_provider_all_the_same() {
    let shop = Shop::open().await;
    let stranger = Browser::default();
    let leaving = stranger.log_out(&shop.here).await.at_provider();
    assert!(!leaving.contains_key("id_token_hint"));
    assert_eq!(leaving["client_id"], "shop");
    assert_eq!(leaving["post_logout_redirect_uri"], RETURN_TO);
    assert!(shop.was_told_no_more().await);
}

#[tokio::test]
async fn a_ticket_that_is_over_ends_nobody_elses_session() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let stolen = ada.copy();
    let _ = ada.log_out(&shop.here).await.at_provider();
    let _ = shop.told().await;
    let again = shop.sign_in("ada", "s2").await;

    let _ = stolen.log_out(&shop.here).await.at_provider();
    assert!(!stolen.holds_ticket());
    assert_eq!(me(&again, &shop.here).await, StatusCode::OK);
    assert!(shop.was_told_no_more().await);
}

#[tokio::test]
async fn what_is_no_ticket_is_dropped() {
    let shop = Shop::open().await;
    for junk in [
        "",
        "no-ticket",
        "not-a-ticket",
        "%00",
        "AAAA",
        &"A".repeat(2_000),
    ] {
        let browser = Browser::default();
        browser.set("__Host-shop", junk);
        let _ = browser.log_out(&shop.here).await.at_provider();
        assert!(!browser.holds_ticket(), "{junk}");
    }
}

/// The session stays live, and the response says so. But the ticket, which is useless here, is removed.
#[tokio::test]
async fn a_ticket_under_a_key_that_this_server_lacks_is_dropped_and_no_sign_out() {
    let shop = Shop::open().await;
    let elsewhere = Shop::open().await;
    let ada = elsewhere.sign_in("ada", "s1").await;
    let before = ada.copy();
    let unknown = ada.log_out(&shop.here).await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!ada.holds_ticket());
    assert!(
        unknown.body.contains("could not end the session"),
        "{}",
        unknown.body
    );
    let told = shop.told().await;
    assert_eq!(
        told.result.unwrap_err().kind(),
        token_cache_core::ErrorKind::KeyMissing
    );
    assert_eq!(me(&before, &elsewhere.here).await, StatusCode::OK);

    // There the user signs out at the provider, and returns.
    let link = unknown.body.split("<a href=\"").nth(1).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    assert!(link.starts_with("https://id.example/end?"), "{link}");
    let (_, state) = link.split_once("&state=").unwrap();
    let back = ada
        .get(&shop.here, &format!("/signed-out?state={state}"))
        .await;
    assert_eq!(back.location(), "/bye");
}

#[tokio::test]
async fn without_an_id_token_the_provider_gets_no_hint() {
    let shop = Shop::open().await;
    let session = begin(&shop.here.cache, "ada", "s1").await;
    let ada = Browser::with_ticket(&session);
    let leaving = ada.log_out(&shop.here).await.at_provider();
    assert!(!leaving.contains_key("id_token_hint"));
    assert_eq!(shop.told().await.account, None);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_hint_that_no_server_would_take_is_left_out() {
    let shop = Shop::open().await;
    let session = begin(&shop.here.cache, "ada", "s1").await;
    let long = crate::shop::id_token("ada", &"s".repeat(8_000));
    let key = id_token_key().unwrap();
    session.put(&key, long.as_bytes()).await.unwrap();
    let ada = Browser::with_ticket(&session);
    let leaving = ada.log_out(&shop.here).await.at_provider();
    assert!(!leaving.contains_key("id_token_hint"));
    assert_eq!(leaving["client_id"], "shop");
}

#[tokio::test]
async fn a_provider_that_would_ask_for_the_account_is_told_it() {
    let shop = Shop::open().await;
    let session = begin(&shop.here.cache, "ada", "s1").await;
    let claims = r#"{"iss":"https://id.example","sub":"ada","aud":"shop","login_hint":"O.Ada"}"#;
    let id_token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let key = id_token_key().unwrap();
    session.put(&key, id_token.as_bytes()).await.unwrap();
    let ada = Browser::with_ticket(&session);
    let leaving = ada.log_out(&shop.here).await.at_provider();
    assert_eq!(leaving["logout_hint"], "O.Ada");
    assert_eq!(leaving["id_token_hint"], id_token);
}

/// The header contains the ID token, and servers log headers.
#[tokio::test]
async fn the_address_at_the_provider_is_marked_as_none_for_logs() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let leaving = ada.log_out(&shop.here).await;
    assert!(leaving.headers["location"].is_sensitive());
}

#[tokio::test]
async fn among_several_clients_the_one_of_the_id_token_is_left_by() {
    let elsewhere = |issuer: &str, id: &str| {
        ClientRegistration::new(issuer, id)
            .jwks("{\"keys\":[]}")
            .end_session_endpoint("https://other.example/end")
    };
    let shop = Shop::with(|builder| {
        builder
            .client(elsewhere("https://other.example", "shop"))
            .client(elsewhere(ISSUER, "stall"))
            .client(client())
    })
    .await;
    let ada = shop.sign_in("ada", "s1").await;
    let leaving = ada.log_out(&shop.here).await.at_provider();
    assert_eq!(leaving["client_id"], "shop");
    let stranger = Browser::default().log_out(&shop.here).await;
    assert!(
        stranger
            .location()
            .starts_with("https://other.example/end?")
    );
}

#[tokio::test]
async fn without_a_return_address_the_user_stays_at_the_provider() {
    let staying = ClientRegistration::new(ISSUER, "shop")
        .jwks("{\"keys\":[]}")
        .end_session_endpoint(END_SESSION);
    let shop = Shop::with(|builder| builder.client(staying.clone())).await;
    let ada = shop.sign_in("ada", "s1").await;
    let leaving = ada.log_out(&shop.here).await.at_provider();
    assert!(!leaving.contains_key("state"));
    assert!(!leaving.contains_key("post_logout_redirect_uri"));
}

#[tokio::test]
async fn a_long_id_token_is_left_out_and_its_session_named_by_a_hint() {
    let groups = (0..60).map(|group| format!("\"group-{group}-0123456789-0123456789-0123456789\""));
    let groups: Vec<_> = groups.collect();
    let claims = format!(
        r#"{{"iss":"{ISSUER}","sub":"ada","aud":"shop","sid":"s1","groups":[{}]}}"#,
        groups.join(",")
    );
    let id_token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
    for (client, is_sent) in [
        (client(), false),
        (client().max_logout_url_len(8_000), true),
        (
            client()
                .max_logout_url_len(8_000)
                .id_token_hint(IdTokenHint::Omit),
            false,
        ),
    ] {
        let shop = Shop::with(|builder| builder.client(client.clone())).await;
        let session = begin(&shop.here.cache, "ada", "s1").await;
        let key = id_token_key().unwrap();
        session.put(&key, id_token.as_bytes()).await.unwrap();
        let leaving = Browser::with_ticket(&session).log_out(&shop.here).await;
        let parameters = leaving.at_provider();
        assert_eq!(parameters.contains_key("id_token_hint"), is_sent);
        assert_eq!(leaving.location().len() > 2_000, is_sent);
        let hint = parameters.get("logout_hint").map(String::as_str);
        assert_eq!(hint, (!is_sent).then_some("s1"));
        assert_eq!(parameters["client_id"], "shop");
    }
}

#[tokio::test]
async fn no_parameter_of_a_request_sends_a_browser_anywhere() {
    let shop = Shop::open().await;
    let evil = "https://evil.example/";
    let parameters = format!(
        "post_logout_redirect_uri={evil}&redirect_uri={evil}&return_to={evil}&next={evil}&id_token_hint={evil}&client_id={evil}&state={evil}"
    );
    let ada = shop.sign_in("ada", "s1").await;
    let path = format!("/logout?{parameters}");
    let button = request(&Method::POST, &path).header("sec-fetch-site", "same-origin");
    let leaving = ada.send(&shop.here, button).await;
    assert!(!leaving.location().contains("evil"), "{leaving:?}");
    let state = &leaving.at_provider()["state"];
    let back = format!(
        "/signed-out?{}&state={state}",
        parameters.replace("&state=", "&was=")
    );
    assert_eq!(ada.get(&shop.here, &back).await.location(), "/bye");
}

#[tokio::test]
async fn the_answers_are_kept_by_no_cache() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    for path in ["/logout", "/signed-out", "/frontchannel-logout?sid=x"] {
        let answer = ada.copy().get(&shop.here, path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let leaving = ada.log_out(&shop.here).await;
    assert_eq!(leaving.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_cookies_are_out_of_reach_of_scripts_and_other_sites() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let leaving = ada.log_out(&shop.here).await;
    let cookies: Vec<_> = leaving.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 2, "the state's, and the ticket's end");
    for cookie in cookies {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn other_methods_do_nothing() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        for path in ["/logout", "/signed-out", "/frontchannel-logout?iss=x&sid=y"] {
            let asked = request(&method, path).header("sec-fetch-site", "same-origin");
            let answer = ada.send(&shop.here, asked).await;
            assert_eq!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            assert!(answer.header("allow").is_some());
        }
    }
    let head = request(&Method::HEAD, "/logout").header("sec-fetch-site", "none");
    assert_eq!(ada.send(&shop.here, head).await.status, StatusCode::OK);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}
