//! Messages that match no session are logged and counted. The response does not reveal it.

use http::{Request, Response, StatusCode};
use token_cache_core::ErrorKind;
use tracing::Level;

use crate::{
    log::{Log, counted},
    rig::{As, ISSUER, Rig},
    shared_signals::{self, SESSION_REVOKED},
};

async fn frame(rig: &Rig, sid: &str) -> Response<bytes::Bytes> {
    let path = format!("/frontchannel-logout?iss={ISSUER}&sid={sid}");
    let (request, ()) = Request::get(path).body(()).unwrap().into_parts();
    rig.routes.front_channel_logout(&request).await
}

/// A front-channel request is not authenticated: anyone who saw a `sid` can send it.
#[tokio::test]
async fn where_a_sid_means_the_account_a_front_channel_request_ends_its_own_sessions_alone() {
    let rig = Rig::where_a_sid_means_the_account().await;
    let sid = |sid| As {
        sid: Some(sid),
        issuer: None,
    };
    let phone = rig.sign_in("ada", sid("s1")).await;
    let laptop = rig.sign_in("ada", sid("s2")).await;
    assert_eq!(frame(&rig, "s1").await.status(), StatusCode::OK);
    assert!(!rig.is_signed_in(&phone).await);
    assert!(rig.is_signed_in(&laptop).await);
    // A signed message of the provider ends all sessions of the account.
    assert!(rig.send(&rig.token(None, Some("s2"))).await.is_ok());
    assert!(!rig.is_signed_in(&laptop).await);
}

#[tokio::test]
async fn messages_that_match_nothing_are_logged_and_the_third_without_a_match_is_a_warning() {
    let rig = Rig::new().await;
    let log = Log::start();
    for number in 1..=4 {
        let _ = frame(&rig, &format!("made-up-{number}")).await;
        let lines = log.take();
        let texts: Vec<_> = lines
            .iter()
            .map(|line| (line.level, &*line.event))
            .collect();
        let nothing = (Level::INFO, "provider_message_matched_nothing");
        let settings = (Level::WARN, "provider_messages_match_nothing");
        if number == 3 {
            assert_eq!(texts, [nothing, settings]);
            assert!(lines[1].text.contains(ISSUER), "{lines:?}");
        } else {
            assert_eq!(texts, [nothing]);
        }
        assert!(!format!("{lines:?}").contains("made-up"), "{lines:?}");
    }
}

#[tokio::test]
async fn once_a_message_has_matched_a_session_the_settings_are_not_suspected() {
    let rig = Rig::new().await;
    let log = Log::start();
    rig.sign_in("ada", As::default()).await;
    assert!(rig.send(&rig.token(Some("ada"), None)).await.is_ok());
    for subject in ["one", "two", "three", "four"] {
        assert!(rig.send(&rig.token(Some(subject), None)).await.is_ok());
    }
    let lines = log.take();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.level == Level::INFO),
        "{lines:?}"
    );
}

#[test]
fn every_channel_counts_what_its_messages_come_to_by_provider() {
    let counted = counted(async {
        let rig = Rig::new().await;
        rig.sign_in(
            "ada",
            As {
                sid: Some("s1"),
                issuer: None,
            },
        )
        .await;
        let _ = frame(&rig, "made-up").await;
        let _ = frame(&rig, "s1").await;
        let _ = frame(&rig, "").await;
        rig.sign_in("ada", As::default()).await;
        assert!(rig.send(&rig.token(Some("ada"), None)).await.is_ok());
        assert!(rig.send(&rig.token(Some("nobody"), None)).await.is_ok());
        assert_eq!(rig.send("no token").await.status, 400);
        for event in [SESSION_REVOKED, "https://example.com/other"] {
            let claims = shared_signals::claims(&rig, event, shared_signals::ada());
            let event = shared_signals::signed(&rig, &claims);
            assert_eq!(shared_signals::send(&rig, event).await.status, 202);
        }
        rig.store.fail_with(ErrorKind::Unavailable);
        let failed = rig.send(&rig.token(Some("grace"), None)).await;
        assert_eq!(failed.status, 503);
    });
    let expected = [
        ("back_channel", ISSUER, "ended"),
        ("back_channel", ISSUER, "error"),
        ("back_channel", ISSUER, "nothing"),
        ("back_channel", "unknown", "refused"),
        ("front_channel", ISSUER, "ended"),
        ("front_channel", ISSUER, "nothing"),
        ("front_channel", ISSUER, "refused"),
        ("security_event", ISSUER, "ignored"),
        ("security_event", ISSUER, "nothing"),
    ];
    let expected = expected.map(|(channel, issuer, outcome)| {
        let labels = [channel, issuer, outcome].map(str::to_owned);
        (labels, 1)
    });
    assert_eq!(counted, expected);
}
