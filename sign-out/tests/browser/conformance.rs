//! The browser-based test plans for relying parties of the OpenID Foundation's conformance suite.

use http::StatusCode;
use token_cache_core::SignOutScopeKind;
use token_cache_sign_out::SignOutCause;

use crate::shop::{ISSUER, RETURN_TO, Shop, id_token, me};

/// `oidcc-client-test-rp-init-logout`
#[tokio::test]
async fn rp_init_logout() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);

    let leaving = ada.log_out(&shop.here).await.at_provider();
    assert_eq!(leaving["id_token_hint"], id_token("ada", "s1"));
    assert_eq!(leaving["client_id"], "shop");
    assert_eq!(leaving["post_logout_redirect_uri"], RETURN_TO);
    assert_eq!(leaving["tenant"], "1", "the endpoint's own query is kept");

    let back = format!("/signed-out?state={}", leaving["state"]);
    let returned = ada.get(&shop.here, &back).await;
    assert_eq!(returned.location(), "/bye");
    assert!(!ada.holds_ticket());
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
}

/// `oidcc-client-test-rp-init-logout-other-state`: the provider sends another state back.
#[tokio::test]
async fn rp_init_logout_other_state() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let state = ada.log_out(&shop.here).await.at_provider()["state"].clone();
    let other = ada.get(&shop.here, "/signed-out?state=other").await;
    assert_eq!(other.status, StatusCode::OK);
    assert!(other.body.contains("belongs to no sign-out"), "{other:?}");
    for near in [
        format!("{state}x"),
        state[1..].to_owned(),
        state.to_uppercase(),
    ] {
        let near = ada
            .get(&shop.here, &format!("/signed-out?state={near}"))
            .await;
        assert!(near.body.contains("belongs to no sign-out"), "{near:?}");
    }
}

/// `oidcc-client-test-rp-init-logout-no-state`: the provider sends no state back.
#[tokio::test]
async fn rp_init_logout_no_state() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let _ = ada.log_out(&shop.here).await.at_provider();
    for without in ["/signed-out", "/signed-out?state=", "/signed-out?state"] {
        let without = ada.get(&shop.here, without).await;
        assert_eq!(without.location(), "/bye");
    }
}

/// `oidcc-client-test-frontchannel-rpinitlogout`: the app redirects the user to the provider. The provider loads the
/// app's frame and sends the user back.
#[tokio::test]
async fn frontchannel_rpinitlogout() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let state = ada.log_out(&shop.here).await.at_provider()["state"].clone();
    assert_eq!(shop.told().await.cause, SignOutCause::RpInitiated);

    let frame = format!("/frontchannel-logout?iss={ISSUER}&sid=s1");
    assert_eq!(ada.frame(&shop.there, &frame).await.status, StatusCode::OK);
    assert_eq!(shop.told().await.cause, SignOutCause::FrontChannel);

    let returned = ada
        .get(&shop.here, &format!("/signed-out?state={state}"))
        .await;
    assert_eq!(returned.location(), "/bye");
}

/// `oidcc-client-test-frontchannel-opinitlogout`: the user signs out at the provider, which loads the app's frame.
#[tokio::test]
async fn frontchannel_opinitlogout() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    let frame = format!("/frontchannel-logout?iss={ISSUER}&sid=s1");
    assert_eq!(ada.frame(&shop.there, &frame).await.status, StatusCode::OK);
    let told = shop.told().await;
    assert_eq!(told.cause, SignOutCause::FrontChannel);
    assert_eq!(told.scope, SignOutScopeKind::ProviderSession);
    assert!(told.result.unwrap().ended);
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
}
