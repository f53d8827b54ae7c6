//! The log of a browser's requests: one line for each refusal, without user data.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use token_cache_core::ErrorKind;
use token_cache_sign_out::{Algorithm, TicketCookie};
use tower::{Layer, ServiceExt};
use tracing::Level;

use crate::{
    log::{Line, Log},
    rig::{As, Rig},
};

const SUBJECT: &str = "canary-subject";
const SID: &str = "canary-sid";

/// Returns the status of the response to a request with this ticket, and the log.
async fn requested(rig: &Rig, log: &Log, ticket: &str) -> (StatusCode, Vec<Line>) {
    log.take();
    let app = tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Bytes::new()))
    });
    let request = Request::get("/")
        .header(header::COOKIE, format!("__Host-shop={ticket}"))
        .body(())
        .unwrap();
    let app = rig.routes.session_check().layer(app);
    let answer = app.oneshot(request).await.unwrap();
    let mut lines = log.take();
    lines.retain(|line| !line.event.is_empty());
    (answer.status(), lines)
}

#[tokio::test]
async fn a_refused_request_is_logged_once_and_nothing_of_the_user() {
    let tickets = TicketCookie::host("shop").unwrap();
    let rig = Rig::with(Algorithm::Es256, |routes| routes.ticket_source(tickets)).await;
    let ticket = rig
        .sign_in(
            SUBJECT,
            As {
                sid: Some(SID),
                ..As::default()
            },
        )
        .await;
    let text = ticket.to_text();
    let log = Log::start();

    let (status, lines) = requested(&rig, &log, &text).await;
    assert_eq!((status, lines), (StatusCode::OK, Vec::new()));

    let mut logged = Vec::new();
    let mut is_logged = |lines: Vec<Line>, level, event| {
        let [line] = lines.try_into().unwrap();
        assert_eq!((line.level, &*line.event), (level, event), "{}", line.text);
        logged.push(line.text);
    };
    rig.store.fail_with(ErrorKind::Unavailable);
    let (status, lines) = requested(&rig, &log, &text).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    is_logged(lines, Level::WARN, "session_not_checked");
    rig.store.work();

    let (_, lines) = requested(&rig, &log, &text[..text.len() / 2]).await;
    is_logged(lines, Level::WARN, "ticket_refused");

    let session = rig.cache.resume(&ticket).await.unwrap();
    assert!(session.sign_out().await.unwrap().ended);
    let (_, lines) = requested(&rig, &log, &text).await;
    is_logged(lines, Level::INFO, "request_of_ended_session");

    for line in logged {
        for secret in [SUBJECT, SID, &text[..text.len() / 2]] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

/// The user signs out with a ticket under a key that this server lacks. The ticket is removed, and no session ends.
#[tokio::test]
async fn a_sign_out_with_a_ticket_that_cannot_be_read_is_logged_and_nothing_of_the_user() {
    let of_cookie = || TicketCookie::host("shop").unwrap();
    let rig = Rig::with(Algorithm::Es256, |routes| routes.ticket_source(of_cookie())).await;
    let elsewhere = Rig::with(Algorithm::Es256, |routes| routes.ticket_source(of_cookie())).await;
    let with_sid = As {
        sid: Some(SID),
        ..As::default()
    };
    let text = elsewhere.sign_in(SUBJECT, with_sid).await.to_text();
    let log_out = async |rig: &Rig| {
        let request = Request::post("/logout")
            .header(header::COOKIE, format!("__Host-shop={text}"))
            .header("sec-fetch-site", "same-origin")
            .body(())
            .unwrap();
        rig.routes.logout(&request.into_parts().0).await
    };
    let log = Log::start();
    let answer = log_out(&rig).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let line = log.warning();
    assert_eq!(line.event, "sign_out_without_session");
    assert!(line.text.contains("ended no session"), "{}", line.text);
    for secret in [SUBJECT, SID, &text, &text[..text.len() / 2]] {
        assert!(!line.text.contains(secret), "{}", line.text);
    }

    // Its own server ends the session, and logs no such line.
    log.take();
    assert_eq!(log_out(&elsewhere).await.status(), StatusCode::SEE_OTHER);
    let lines = log.take();
    let without = |line: &Line| line.event == "sign_out_without_session";
    assert!(!lines.iter().any(without), "{lines:?}");
}
