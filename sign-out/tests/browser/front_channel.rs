use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use token_cache_core::{ErrorKind, SignOutScopeKind};
use token_cache_sign_out::{ClientRegistration, FrontChannelParameters, SignOutCause};
use tokio::time::{self, Instant};

use crate::shop::{Browser, ISSUER, Shop, client, me, request};

fn frame(sid: &str) -> String {
    format!("/frontchannel-logout?iss={ISSUER}&sid={sid}")
}

#[tokio::test]
async fn without_any_cookie_the_session_ends_by_its_sid_on_every_server() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let no_cookies = Browser::default();
    let framed = no_cookies.frame(&shop.there, &frame("s1")).await;
    assert_eq!(framed.status, StatusCode::OK);
    for server in [&shop.here, &shop.there] {
        assert_eq!(me(&ada, server).await, StatusCode::UNAUTHORIZED);
    }
    let told = shop.told().await;
    assert_eq!(told.cause, SignOutCause::FrontChannel);
    assert_eq!(told.provider_session.unwrap().sid(), "s1");
    assert!(shop.was_told_no_more().await);
}

#[tokio::test]
async fn of_two_browsers_only_the_named_one_ends() {
    let shop = Shop::open().await;
    let phone = shop.sign_in("ada", "s1").await;
    let laptop = shop.sign_in("ada", "s2").await;
    // The frame is in the laptop's browser, with its cookie. Only the named session ends.
    let framed = laptop.frame(&shop.here, &frame("s1")).await;
    assert_eq!(framed.status, StatusCode::OK);
    assert_eq!(me(&phone, &shop.here).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&laptop, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn a_later_sign_in_under_the_same_sid_is_welcome() {
    let shop = Shop::open().await;
    let before = shop.sign_in("ada", "s1").await;
    let _ = Browser::default().frame(&shop.here, &frame("s1")).await;
    assert_eq!(me(&before, &shop.here).await, StatusCode::UNAUTHORIZED);
    let after = shop.sign_in("ada", "s1").await;
    assert_eq!(me(&after, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn the_same_sid_at_another_provider_is_another_session() {
    let other = ClientRegistration::new("https://other.example", "shop").jwks("{\"keys\":[]}");
    let shop = Shop::with(|builder| builder.client(client()).client(other.clone())).await;
    let ada = shop.sign_in("ada", "s1").await;
    let elsewhere = "/frontchannel-logout?iss=https://other.example&sid=s1";
    let framed = Browser::default().frame(&shop.here, elsewhere).await;
    assert_eq!(framed.status, StatusCode::OK);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn what_names_no_session_ends_none() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let long = "s".repeat(9_000);
    for query in [
        format!("iss={ISSUER}"),
        "sid=s1".to_owned(),
        format!("iss={ISSUER}&sid="),
        "iss=&sid=s1".to_owned(),
        format!("iss={ISSUER}/&sid=s1"),
        "iss=https://evil.example&sid=s1".to_owned(),
        format!("iss={ISSUER}&iss={ISSUER}&sid=s1"),
        format!("iss={ISSUER}&sid=s1&sid=s1"),
        format!("iss={ISSUER}&iss=https://evil.example&sid=s1"),
        format!("iss={ISSUER}&sid={long}"),
    ] {
        let framed = ada
            .frame(&shop.here, &format!("/frontchannel-logout?{query}"))
            .await;
        assert_eq!(framed.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(!framed.body.contains("s1"), "{}", framed.body);
        assert!(!framed.body.contains("evil"), "{}", framed.body);
    }
    assert!(ada.holds_ticket());
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
    assert!(shop.was_told_no_more().await);
}

/// The page does not reveal whether there was a session.
#[tokio::test]
async fn a_sid_that_matches_nothing_gets_the_same_answer_as_one_that_ends_a_session() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let anybody = Browser::default();
    let unknown = anybody.frame(&shop.here, &frame("unknown")).await;
    assert!(!shop.told().await.result.unwrap().ended);
    let known = anybody.frame(&shop.here, &frame("s1")).await;
    assert!(shop.told().await.result.unwrap().ended);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
    let again = anybody.frame(&shop.here, &frame("s1")).await;
    for answer in [&unknown, &again] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            (&answer.headers, &answer.body),
            (&known.headers, &known.body)
        );
    }
    let text = "If this app had a session under that sign-in, it has ended.";
    assert!(known.body.contains(text), "{}", known.body);
}

#[tokio::test]
async fn a_request_that_names_nothing_is_refused_unless_a_client_says_that_its_provider_sends_such()
{
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let framed = ada.frame(&shop.here, "/frontchannel-logout").await;
    assert_eq!(framed.status, StatusCode::BAD_REQUEST);
    assert!(
        framed.body.contains("FrontChannelParameters::None"),
        "{}",
        framed.body
    );
    assert!(ada.holds_ticket());
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

/// ID tokens of `LemonLDAP::NG` have no `sid`, and its front-channel requests have the `sub` instead.
#[tokio::test]
async fn a_provider_that_sends_the_sub_as_the_sid_signs_its_user_out_and_nobody_else() {
    let lemon = || client().front_channel_parameters(FrontChannelParameters::SubjectAsSid);
    let shop = Shop::with(|builder| builder.client(lemon())).await;
    let phone = shop.sign_in("ada", "s1").await;
    let laptop = shop.sign_in("ada", "s2").await;
    let grace = shop.sign_in("grace", "ada").await;
    let framed = Browser::default().frame(&shop.there, &frame("ada")).await;
    assert_eq!(framed.status, StatusCode::OK);
    for ended in [&phone, &laptop] {
        assert_eq!(me(ended, &shop.here).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(me(&grace, &shop.here).await, StatusCode::OK);
    let told = shop.told().await;
    assert_eq!(told.scope, SignOutScopeKind::Account);
    assert_eq!(told.account.unwrap().subject(), "ada");
    let after = shop.sign_in("ada", "s3").await;
    assert_eq!(me(&after, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn a_sid_without_an_issuer_counts_only_where_the_client_says_so() {
    let entra = || client().front_channel_parameters(FrontChannelParameters::SidOnly);
    let shop = Shop::with(|builder| builder.client(entra())).await;
    let ada = shop.sign_in("ada", "s1").await;
    let framed = Browser::default()
        .frame(&shop.here, "/frontchannel-logout?sid=s1")
        .await;
    assert_eq!(framed.status, StatusCode::OK);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
    // A named issuer must be known here, too.
    let evil = "/frontchannel-logout?iss=https://evil.example&sid=s1";
    let framed = Browser::default().frame(&shop.here, evil).await;
    assert_eq!(framed.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn with_neither_only_the_session_of_the_browsers_ticket_ends() {
    let shop = Shop::nameless().await;
    let phone = shop.sign_in("ada", "s1").await;
    let same_sid = shop.sign_in("ada", "s1").await;
    let ticket = phone.copy();
    let framed = phone.frame(&shop.here, "/frontchannel-logout").await;
    assert_eq!(framed.status, StatusCode::OK);
    assert!(!phone.holds_ticket());
    assert_eq!(me(&ticket, &shop.here).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&same_sid, &shop.here).await, StatusCode::OK);
    assert_eq!(shop.told().await.scope, SignOutScopeKind::Session);

    let framed = Browser::default()
        .frame(&shop.here, "/frontchannel-logout")
        .await;
    assert_eq!(framed.status, StatusCode::OK);
    assert!(shop.was_told_no_more().await);
}

#[tokio::test]
async fn with_neither_what_is_no_frame_ends_nothing() {
    let shop = Shop::nameless().await;
    let ada = shop.sign_in("ada", "s1").await;
    for (what, site, destination) in [
        ("a link on another site", "cross-site", "document"),
        (
            "an image in a comment on the app's own page",
            "same-origin",
            "image",
        ),
        ("a script's request", "same-origin", "empty"),
    ] {
        let asked = request(&Method::GET, "/frontchannel-logout")
            .header("sec-fetch-site", site)
            .header("sec-fetch-dest", destination);
        let answer = ada.send(&shop.here, asked).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        assert_eq!(me(&ada, &shop.here).await, StatusCode::OK, "{what}");
    }
}

#[tokio::test]
async fn a_failed_eviction_is_said() {
    let shop = Shop::nameless().await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store.fail_with(ErrorKind::Unavailable);
    for path in [frame("s1"), "/frontchannel-logout".to_owned()] {
        let framed = ada.frame(&shop.here, &path).await;
        assert_eq!(framed.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(framed.header("retry-after").is_some());
        assert!(ada.holds_ticket());
        assert!(shop.told().await.result.is_err());
    }
    shop.store.work();
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn only_the_providers_pages_may_frame_the_answer() {
    let elsewhere = || client().end_session_endpoint("https://login.id.example/end");
    let shop = Shop::with(|builder| builder.client(elsewhere())).await;
    for path in [frame("s1"), "/frontchannel-logout?sid=1".to_owned()] {
        let framed = Browser::default().frame(&shop.here, &path).await;
        let policy = framed.header("content-security-policy").unwrap();
        assert!(
            policy.ends_with("frame-ancestors https://id.example https://login.id.example"),
            "{policy}"
        );
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(framed.header("x-frame-options"), None);
        assert_eq!(framed.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn only_a_get_counts() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    for method in [Method::HEAD, Method::POST] {
        let answer = ada.send(&shop.here, request(&method, &frame("s1"))).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

/// The clock advances only while the test waits. The store is slow.
#[tokio::test(start_paused = true)]
async fn a_slow_store_is_owed_only_so_many_made_up_sids() {
    let shop = Shop::open().await;
    let anybody = Browser::default();
    let late = Duration::from_secs(30);
    shop.store.answer_late(late);
    let made_up: Vec<_> = (0..1_000)
        .map(|sid| frame(&format!("made-up-{sid}")))
        .collect();
    let all = made_up.iter().map(|frame| anybody.frame(&shop.here, frame));
    for answer in join_all(all).await {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    let since = Instant::now();
    let one_more = anybody.frame(&shop.here, &frame("one-more")).await;
    assert_eq!(one_more.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(since.elapsed(), Duration::ZERO, "it was waited for");

    time::sleep(late * 2).await;
    shop.store.work();
    let again = anybody.frame(&shop.here, &frame("one-more")).await;
    assert_eq!(again.status, StatusCode::OK);
}

/// Without Fetch Metadata, a frame cannot be distinguished from a link on another site, which sends the cookie too.
#[tokio::test]
async fn a_browser_that_says_nothing_of_frames_ends_what_is_named_and_nothing_else() {
    let shop = Shop::nameless().await;
    let ada = shop.sign_in("ada", "s1").await;
    let link = ada.get(&shop.here, "/frontchannel-logout").await;
    assert_eq!(link.status, StatusCode::BAD_REQUEST);
    assert!(ada.holds_ticket());
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
    let named = ada.get(&shop.here, &frame("s1")).await;
    assert_eq!(named.status, StatusCode::OK);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
}
