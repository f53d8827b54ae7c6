use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    http::{Request, header},
};
use http_body_util::Full;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use url::Url;

use crate::{
    crypto::random_text,
    error::OAuthError,
    events::Event,
    pages::Frame,
    sessions::{Participant, Session},
    state::{Shared, now},
};

/// Ends the session of this cookie, if there is one: revokes what was granted in it, tells the apps that took part, and waits
/// for their answers. What is left to do is the browser's: to load the frames.
///
/// The apps are told by a task of its own, also when the browser goes away.
pub(crate) async fn end(shared: &Arc<Shared>, cookie: &str) -> Vec<Frame> {
    let Some(session) = taken(shared, cookie) else {
        return Vec::new();
    };
    shared.journal.note(Event::SignedOut {
        name: session.name.clone(),
    });
    let frames = frames(shared, &session);
    let mut messages = JoinSet::new();
    for participant in session.participants {
        let (shared, subject) = (Arc::clone(shared), session.subject.clone());
        messages.spawn(async move { tell(&shared, &subject, &participant).await });
    }
    // The caller may go away; the messages are sent all the same.
    let _ = tokio::spawn(messages.join_all()).await;
    frames
}

fn taken(shared: &Shared, cookie: &str) -> Option<Session> {
    // As where codes are granted: one lock around both.
    let mut sessions = shared.sessions();
    let session = sessions.end(cookie)?;
    shared
        .grants()
        .end_session(|grant| session.is_of(&grant.subject, &grant.sid));
    Some(session)
}

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const TOKEN_LIFETIME: u64 = 2 * 60;
const ATTEMPTS: u8 = 2;
const PAUSE: Duration = Duration::from_millis(200);

/// The path at which an app that is not registered is told, as that of token-cache's routes.
const LOOPBACK_APP_PATH: &str = "/backchannel-logout";

/// An app's endpoint for logout tokens, and whether they name the session.
struct Endpoint {
    uri: String,
    with_sid: bool,
}

fn endpoint(shared: &Shared, participant: &Participant) -> Option<Endpoint> {
    if let Some(origin) = &participant.loopback_app {
        return Some(Endpoint {
            uri: format!("{origin}{LOOPBACK_APP_PATH}"),
            with_sid: true,
        });
    }
    let client = shared.clients.registered(&participant.client)?;
    Some(Endpoint {
        uri: client.backchannel_logout_uri.clone()?,
        with_sid: client.backchannel_logout_session_required,
    })
}

/// Tells an app that took part in a session that it has ended (Back-Channel Logout 1.0), if it has registered for that. An app that
/// answers 5xx is told once more.
async fn tell(shared: &Shared, subject: &str, participant: &Participant) {
    let Some(endpoint) = endpoint(shared, participant) else {
        return;
    };
    let sid = endpoint.with_sid.then_some(participant.sid.as_str());
    let Ok(token) = logout_token(shared, &participant.client, subject, sid) else {
        return;
    };
    let limit = shared.settings().back_channel_timeout;
    for attempt in 1..=ATTEMPTS {
        if attempt > 1 {
            sleep(PAUSE).await;
        }
        let name = || participant.client.clone();
        shared.journal.note(Event::LogoutSent {
            client: name(),
            attempt,
        });
        let answered = timeout(limit, post(shared, &endpoint.uri, &token));
        let status = answered.await.unwrap_or(None);
        shared.journal.note(Event::LogoutAnswered {
            client: name(),
            status,
        });
        if status.is_none_or(|status| status < 500) {
            return;
        }
    }
}

fn logout_token(
    shared: &Shared,
    client: &str,
    subject: &str,
    sid: Option<&str>,
) -> Result<String, OAuthError> {
    let now = now();
    let mut claims = json!({
        "iss": shared.issuer,
        "aud": client,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
        "jti": random_text()?,
        "events": {EVENT: {}},
        "sub": subject,
    });
    if let Some(sid) = sid {
        claims["sid"] = json!(sid);
    }
    shared.key.sign("logout+jwt", &claims)
}

/// The status of the answer.
async fn post(shared: &Shared, uri: &str, token: &str) -> Option<u16> {
    // A signed token has no character that a form would encode.
    let form = format!("logout_token={token}");
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))
        .ok()?;
    let response = shared.http.request(request).await.ok()?;
    Some(response.status().as_u16())
}

fn frames(shared: &Shared, session: &Session) -> Vec<Frame> {
    let frames: BTreeSet<Frame> = session
        .participants
        .iter()
        .filter_map(|participant| {
            let client = shared.clients.registered(&participant.client)?;
            let uri = client.frontchannel_logout_uri.as_ref()?;
            let mut address = Url::parse(uri).ok()?;
            if client.frontchannel_logout_session_required {
                address
                    .query_pairs_mut()
                    .append_pair("iss", &shared.issuer)
                    .append_pair("sid", &participant.sid);
            }
            Some(Frame {
                client: client.id.clone(),
                address,
            })
        })
        .collect();
    frames.into_iter().collect()
}
