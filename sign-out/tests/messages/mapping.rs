//! The sessions that a provider's message ends, and those that it keeps.

use std::time::Duration;

use token_cache_core::ErrorKind;
use token_cache_sign_out::{Algorithm, ClientRegistration};

use crate::{
    log::Log,
    rig::{As, Rig},
    signer::{Signer, jwks},
};

const fn sid(sid: &str) -> As<'_> {
    As {
        sid: Some(sid),
        issuer: None,
    }
}

const UNLABELLED: As<'static> = As {
    sid: None,
    issuer: None,
};

fn a_second(rig: &Rig) {
    rig.clock.advance(Duration::from_secs(1));
}

#[tokio::test]
async fn a_subject_alone_ends_all_of_the_account_and_nobody_else_s() {
    let rig = Rig::new().await;
    let phone = rig.sign_in("ada", sid("s1")).await;
    let laptop = rig.sign_in("ada", sid("s2")).await;
    let unlabelled = rig.sign_in("ada", UNLABELLED).await;
    let grace = rig.sign_in("grace", sid("s3")).await;
    assert!(rig.send(&rig.token(Some("ada"), None)).await.is_ok());
    for ticket in [&phone, &laptop, &unlabelled] {
        assert!(!rig.is_signed_in(ticket).await);
    }
    assert!(rig.is_signed_in(&grace).await);
}

/// Ory Hydra names no user.
#[tokio::test]
async fn a_sid_alone_ends_the_browser_it_names_and_no_other() {
    let rig = Rig::new().await;
    let phone = rig.sign_in("ada", sid("s1")).await;
    let laptop = rig.sign_in("ada", sid("s2")).await;
    let unlabelled = rig.sign_in("ada", UNLABELLED).await;
    assert!(rig.send(&rig.token(None, Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&phone).await);
    assert!(rig.is_signed_in(&laptop).await);
    assert!(rig.is_signed_in(&unlabelled).await);
}

#[tokio::test]
async fn of_two_browsers_only_the_named_one_ends() {
    let rig = Rig::new().await;
    let phone = rig.sign_in("ada", sid("s1")).await;
    let laptop = rig.sign_in("ada", sid("s2")).await;
    assert!(rig.send(&rig.token(Some("ada"), Some("s2"))).await.is_ok());
    assert!(rig.is_signed_in(&phone).await);
    assert!(!rig.is_signed_in(&laptop).await);
}

#[tokio::test]
async fn a_subject_and_a_sid_end_sessions_that_were_begun_without_a_sid() {
    let rig = Rig::new().await;
    let unlabelled = rig.sign_in("ada", UNLABELLED).await;
    let other = rig.sign_in("ada", sid("s2")).await;
    let grace = rig.sign_in("grace", UNLABELLED).await;
    assert!(rig.send(&rig.token(Some("ada"), Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&unlabelled).await);
    assert!(rig.is_signed_in(&other).await);
    assert!(rig.is_signed_in(&grace).await);
}

#[tokio::test]
async fn a_subject_and_a_sid_spare_a_session_without_sid_that_began_since() {
    let rig = Rig::new().await;
    let token = rig.token(Some("ada"), Some("s1"));
    a_second(&rig);
    let since = rig.sign_in("ada", UNLABELLED).await;
    assert!(rig.send(&token).await.is_ok());
    assert!(rig.is_signed_in(&since).await);
}

/// Several users of one browser, one after the other, in one provider session.
#[tokio::test]
async fn a_sid_ends_the_sessions_of_every_account_under_it() {
    let rig = Rig::new().await;
    let ada = rig.sign_in("ada", sid("s1")).await;
    let grace = rig.sign_in("grace", sid("s1")).await;
    assert!(rig.send(&rig.token(None, Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&ada).await);
    assert!(!rig.is_signed_in(&grace).await);
}

/// Keycloak before 26 reuses a browser's `sid` after a sign-out. A new sign-in is refused, even after a new
/// authentication.
#[tokio::test]
async fn a_sign_in_under_a_sid_that_is_used_again_is_told_what_helps() {
    let rig = Rig::new().await;
    rig.sign_in("ada", sid("s1")).await;
    assert!(rig.send(&rig.token(None, Some("s1"))).await.is_ok());
    a_second(&rig);
    let log = Log::start();
    let refused = rig.try_sign_in("ada", sid("s1")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SignInRevoked);
    for says in ["`sid`", "`prompt=login`", "Keycloak", "cookies"] {
        assert!(refused.to_string().contains(says), "{says}: {refused}");
    }
    let line = log.warning();
    assert_eq!(line.event, "sign_in_sid_ended");
    assert!(line.text.contains("Keycloak"), "{line:?}");
    rig.sign_in("ada", sid("s2")).await;
}

#[tokio::test]
async fn where_a_sid_means_the_account_it_ends_every_browser() {
    let rig = Rig::where_a_sid_means_the_account().await;
    let phone = rig.sign_in("ada", sid("s1")).await;
    let laptop = rig.sign_in("ada", sid("s2")).await;
    let grace = rig.sign_in("grace", sid("s3")).await;
    assert!(rig.send(&rig.token(None, Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&phone).await);
    assert!(!rig.is_signed_in(&laptop).await);
    assert!(rig.is_signed_in(&grace).await);
}

#[tokio::test]
async fn where_a_sid_means_the_account_a_subject_beside_it_narrows_nothing() {
    let rig = Rig::where_a_sid_means_the_account().await;
    let phone = rig.sign_in("ada", sid("s1")).await;
    let laptop = rig.sign_in("ada", sid("s2")).await;
    let grace = rig.sign_in("grace", sid("s3")).await;
    assert!(rig.send(&rig.token(Some("ada"), Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&phone).await);
    assert!(!rig.is_signed_in(&laptop).await);
    assert!(rig.is_signed_in(&grace).await);
}

#[tokio::test]
async fn where_a_sid_means_the_account_a_delayed_message_spares_who_has_come_back() {
    for subject in [None, Some("ada")] {
        let rig = Rig::where_a_sid_means_the_account().await;
        let before = rig.sign_in("ada", sid("s1")).await;
        let delayed = rig.token(subject, Some("s1"));
        a_second(&rig);
        let since = rig.sign_in("ada", sid("s2")).await;
        assert!(rig.send(&delayed).await.is_ok());
        assert!(!rig.is_signed_in(&before).await, "{subject:?}");
        assert!(rig.is_signed_in(&since).await, "{subject:?}");
    }
}

/// With `prompt=login`, Keycloak gives a new login the `sid` of the running session.
#[tokio::test]
async fn a_sid_that_went_on_through_a_new_login_ends_both_logins() {
    let rig = Rig::new().await;
    let first = rig.sign_in("ada", sid("s1")).await;
    a_second(&rig);
    let again = rig.sign_in("ada", sid("s1")).await;
    assert!(rig.send(&rig.token(Some("ada"), Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&first).await);
    assert!(!rig.is_signed_in(&again).await);
}

/// Keycloak's logout tokens have the type `JWT` or no type.
#[tokio::test]
async fn a_token_whose_type_says_jwt_or_nothing_is_taken() {
    for header in [
        r#"{"alg":"ES256","typ":"JWT","kid":"1"}"#,
        r#"{"alg":"ES256","kid":"1"}"#,
    ] {
        let rig = Rig::new().await;
        let ticket = rig.sign_in("ada", UNLABELLED).await;
        let mut claims = rig.claims();
        claims["sub"] = "ada".into();
        let token = rig.signer.sign(header, &claims.to_string());
        assert!(rig.send(&token).await.is_ok());
        assert!(!rig.is_signed_in(&ticket).await);
    }
}

#[tokio::test]
async fn the_same_sid_and_the_same_subject_of_two_issuers_are_strangers() {
    let there = Signer::new("1", Algorithm::Es256);
    let keys = jwks(&[&there]);
    let issuer = "https://id.example.org";
    let rig = Rig::with(Algorithm::Es256, |routes| {
        let client = ClientRegistration::new(issuer, "shop").algorithms([Algorithm::Es256]);
        routes.client(client.jwks(keys))
    })
    .await;
    let here = rig.sign_in("ada", sid("s1")).await;
    let abroad = As {
        issuer: Some(issuer),
        sid: Some("s1"),
    };
    let abroad = rig.sign_in("ada", abroad).await;
    assert!(rig.send(&rig.token(None, Some("s1"))).await.is_ok());
    assert!(!rig.is_signed_in(&here).await);
    assert!(rig.is_signed_in(&abroad).await);
    let mut claims = rig.claims();
    claims["iss"] = issuer.into();
    claims["sub"] = "ada".into();
    let here = rig.sign_in("ada", sid("s2")).await;
    let token = there.sign(&rig.header().to_string(), &claims.to_string());
    assert!(rig.send(&token).await.is_ok());
    assert!(rig.is_signed_in(&here).await);
    assert!(!rig.is_signed_in(&abroad).await);
}

#[tokio::test]
async fn a_logout_that_arrives_after_a_new_sign_in_spares_it() {
    let rig = Rig::new().await;
    let before = rig.sign_in("ada", UNLABELLED).await;
    a_second(&rig);
    let token = rig.token(Some("ada"), None);
    a_second(&rig);
    let since = rig.sign_in("ada", UNLABELLED).await;
    assert!(rig.send(&token).await.is_ok());
    assert!(!rig.is_signed_in(&before).await);
    assert!(rig.is_signed_in(&since).await);
}

#[tokio::test]
async fn a_logout_by_sid_that_arrives_after_a_sign_in_under_a_new_sid_spares_it() {
    let rig = Rig::new().await;
    let before = rig.sign_in("ada", sid("s1")).await;
    let token = rig.token(Some("ada"), Some("s1"));
    a_second(&rig);
    let since = rig.sign_in("ada", sid("s2")).await;
    assert!(rig.send(&token).await.is_ok());
    assert!(!rig.is_signed_in(&before).await);
    assert!(rig.is_signed_in(&since).await);
}

/// The user authenticated, and signed out at the provider before the code arrived here.
#[tokio::test]
async fn a_sign_in_that_a_logout_overtook_is_refused() {
    for (subject, session) in [
        (Some("ada"), None),
        (None, Some("s1")),
        (Some("ada"), Some("s1")),
    ] {
        let rig = Rig::new().await;
        assert!(rig.send(&rig.token(subject, session)).await.is_ok());
        let refused = rig.try_sign_in("ada", sid("s1")).await.unwrap_err();
        assert_eq!(
            refused.kind(),
            ErrorKind::SignInRevoked,
            "{subject:?} {session:?}: {refused}"
        );
        a_second(&rig);
        let fresh = rig.sign_in("ada", sid("s2")).await;
        assert!(rig.is_signed_in(&fresh).await);
    }
}

#[tokio::test]
async fn a_sign_in_without_sid_that_a_logout_overtook_is_refused() {
    let rig = Rig::new().await;
    let token = rig.token(Some("ada"), Some("s1"));
    assert!(rig.send(&token).await.is_ok());
    let refused = rig.try_sign_in("ada", UNLABELLED).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SignInRevoked, "{refused}");
}

/// A provider with pairwise subjects has a different name of a user for each app, but one `sid` for the session.
#[tokio::test]
async fn pairwise_subjects_end_the_app_s_own_and_share_the_sid() {
    let rig = Rig::new().await;
    let other_app = rig.sign_in("pairwise-of-other", sid("s1")).await;
    let shop = rig.sign_in("pairwise-of-shop", sid("s1")).await;
    let by_name = rig.token(Some("pairwise-of-shop"), None);
    assert!(rig.send(&by_name).await.is_ok());
    assert!(!rig.is_signed_in(&shop).await);
    assert!(rig.is_signed_in(&other_app).await);
    let by_both = rig.token(Some("pairwise-of-shop"), Some("s1"));
    assert!(rig.send(&by_both).await.is_ok());
    assert!(!rig.is_signed_in(&other_app).await);
}

/// Every server has its own handle on the store, and all see the same state.
#[tokio::test]
async fn what_one_server_was_told_another_refuses() {
    let rig = Rig::new().await;
    let ticket = rig.sign_in("ada", sid("s1")).await;
    let other = rig.other_server().await;
    assert!(other.resume(&ticket).await.is_ok());
    assert!(rig.send(&rig.token(None, Some("s1"))).await.is_ok());
    assert!(other.resume(&ticket).await.unwrap_err().is_signed_out());
}
