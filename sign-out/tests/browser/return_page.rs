//! The page to which a provider sends the browser back, with and without a `state`.

use http::StatusCode;

use crate::shop::{Browser, Shop, me};

#[tokio::test]
async fn a_state_is_good_once() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let state = ada.log_out(&shop.here).await.at_provider()["state"].clone();
    let back = format!("/signed-out?state={state}");
    assert_eq!(ada.get(&shop.there, &back).await.location(), "/bye");
    let again = ada.get(&shop.here, &back).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(
        again.body.contains("You are not signed in"),
        "{}",
        again.body
    );
}

#[tokio::test]
async fn a_state_is_of_one_browser() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let state = ada.log_out(&shop.here).await.at_provider()["state"].clone();
    let bob = shop.sign_in("bob", "s2").await;
    for path in [
        format!("/signed-out?state={state}"),
        format!("/signed-out?state={state}&state={state}"),
        "/signed-out".to_owned(),
        "/signed-out?state=".to_owned(),
        "/signed-out?state=%FF;=".to_owned(),
    ] {
        let foreign = bob.get(&shop.here, &path).await;
        assert_eq!(foreign.status, StatusCode::OK, "{path}");
        assert!(foreign.body.contains("You are signed in"), "{path}");
        assert!(foreign.body.contains("action=\"logout\""), "{path}");
        let stranger = Browser::default().get(&shop.here, &path).await;
        assert!(stranger.body.contains("You are not signed in"), "{path}");
    }
    let twice = format!("/signed-out?state={state}&state={state}");
    let twice = ada.get(&shop.here, &twice).await;
    assert!(twice.body.contains("You are not signed in"), "{twice:?}");
    assert_eq!(me(&bob, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn two_tabs_that_sign_out_both_come_back() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let first = ada.log_out(&shop.here).await.at_provider()["state"].clone();
    let second = ada.log_out(&shop.here).await.at_provider()["state"].clone();
    for state in [first, second] {
        let back = format!("/signed-out?state={state}");
        assert_eq!(ada.get(&shop.here, &back).await.location(), "/bye");
    }
}

#[tokio::test]
async fn a_browser_keeps_the_8_newest_states() {
    let shop = Shop::open().await;
    let browser = Browser::default();
    let mut states = Vec::new();
    for _ in 0..12 {
        let leaving = browser.log_out(&shop.here).await.at_provider();
        states.push(leaving["state"].clone());
    }
    let kept = |state: &String| {
        browser
            .cookie(&format!("__Host-signing-out-{state}"))
            .is_some()
    };
    assert_eq!(states.iter().filter(|state| kept(state)).count(), 8);
    assert!(kept(&states[11]));
}

#[tokio::test]
async fn a_provider_that_drops_the_state_sends_the_user_to_the_same_page() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let _ = ada.log_out(&shop.here).await.at_provider();
    assert_eq!(ada.get(&shop.here, "/signed-out").await.location(), "/bye");
    // The browser has signed in again, and the page says so.
    let again = shop.sign_in("ada", "s2").await;
    let ticket = again.cookie("__Host-shop").unwrap();
    ada.set("__Host-shop", &ticket);
    let back = ada.get(&shop.here, "/signed-out").await;
    assert!(back.body.contains("You are signed in"), "{}", back.body);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn whether_somebody_is_signed_out_is_not_guessed() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store
        .fail_with(token_cache_core::ErrorKind::Unavailable);
    let back = ada.get(&shop.here, "/signed-out").await;
    assert_eq!(back.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ada.holds_ticket());
}

#[tokio::test]
async fn every_sign_out_has_a_state_of_its_own() {
    let shop = Shop::open().await;
    let first = Browser::default().log_out(&shop.here).await.at_provider();
    let second = Browser::default().log_out(&shop.here).await.at_provider();
    assert_ne!(first["state"], second["state"]);
    assert!(first["state"].len() >= 22, "128 bits");
}
