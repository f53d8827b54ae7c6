//! The response to a browser when the sign-out fails, is slow, or continues after the browser disconnected.

use std::time::Duration;

use http::StatusCode;
use token_cache_core::ErrorKind;
use token_cache_core::SignOutScopeKind;
use token_cache_sign_out::SignOutCause;
use tokio::time;

use crate::shop::{ISSUER, Shop, me};

#[tokio::test]
async fn a_failed_eviction_sends_nobody_away_and_keeps_the_ticket() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store.fail_with(ErrorKind::Unavailable);
    let failed = ada.log_out(&shop.here).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.header("location"), None);
    assert_eq!(failed.header("set-cookie"), None);
    assert_eq!(failed.header("retry-after"), Some("1"));
    assert!(failed.body.contains("still signed in"), "{}", failed.body);
    shop.store.work();
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
    let _ = ada.log_out(&shop.here).await.at_provider();
    assert_eq!(me(&ada, &shop.here).await, StatusCode::UNAUTHORIZED);
}

/// The clock advances only while the test waits. The store responds to the request for the ID token, and then fails.
#[tokio::test(start_paused = true)]
async fn an_eviction_that_fails_when_all_before_it_worked_sends_nobody_away() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store.answer_late(Duration::from_secs(3));
    let then_fail = async {
        time::sleep(Duration::from_secs(1)).await;
        shop.store.work();
        shop.store.fail_with(ErrorKind::Unavailable);
    };
    let (failed, ()) = tokio::join!(ada.log_out(&shop.here), then_fail);
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.header("location"), None);
    assert!(ada.holds_ticket());
    let told = shop.told().await;
    assert_eq!(told.cause, SignOutCause::RpInitiated);
    assert_eq!(told.result.unwrap_err().kind(), ErrorKind::Unavailable);
    shop.store.work();
    assert_eq!(me(&ada, &shop.here).await, StatusCode::OK);
}

#[tokio::test]
async fn where_it_is_not_known_whether_it_was_carried_out_the_page_says_so() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store.lose_answers_with(ErrorKind::TimedOut);
    let failed = ada.log_out(&shop.here).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(failed.body.contains("may still be"), "{}", failed.body);
    assert!(ada.holds_ticket());
}

/// The clock advances only while the test waits. The ID token is read after three seconds, and the sessions end after
/// six.
#[tokio::test(start_paused = true)]
async fn an_eviction_that_takes_long_goes_on_and_the_user_is_asked_to_come_again() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    shop.store.answer_late(Duration::from_secs(3));
    let late = ada.log_out(&shop.here).await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        late.body.contains("still being carried out"),
        "{}",
        late.body
    );
    assert!(ada.holds_ticket());
    assert!(shop.told().await.result.unwrap().ended);
    shop.store.work();
    let _ = ada.log_out(&shop.here).await.at_provider();
    assert!(!ada.holds_ticket());
    assert!(shop.was_told_no_more().await, "it had ended already");
}

/// The browser disconnects while the ID token is read, or while the sessions are ended.
#[tokio::test(start_paused = true)]
async fn a_browser_that_goes_away_stops_no_eviction() {
    for seconds in [1, 4] {
        let shop = Shop::open().await;
        let ada = shop.sign_in("ada", "s1").await;
        let ticket = ada.copy();
        shop.store.answer_late(Duration::from_secs(3));
        let log_out = async { ada.log_out(&shop.here).await };
        let gone = time::timeout(Duration::from_secs(seconds), log_out).await;
        assert!(gone.is_err(), "it was answered");
        assert!(shop.told().await.result.unwrap().ended);
        shop.store.work();
        assert_eq!(me(&ticket, &shop.here).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_app_is_told_of_a_sign_out_that_failed() {
    let shop = Shop::open().await;
    let ada = shop.sign_in("ada", "s1").await;
    // The request for the ID token succeeds, but its response is lost. So the sign-out does not start.
    shop.store.lose_answers_with(ErrorKind::TimedOut);
    let failed = ada.log_out(&shop.here).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    let told = shop.told().await;
    assert_eq!(told.cause, SignOutCause::RpInitiated);
    assert_eq!(
        (told.scope, told.account),
        (SignOutScopeKind::Account, None)
    );
    assert_eq!(told.result.unwrap_err().kind(), ErrorKind::TimedOut);
    // The front channel reads nothing first, so the sign-out itself fails.
    let frame = format!("/frontchannel-logout?iss={ISSUER}&sid=s1");
    let failed = ada.frame(&shop.here, &frame).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    let error = shop.told().await.result.unwrap_err();
    assert!(error.may_have_applied());
}
