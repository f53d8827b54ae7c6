use std::time::Duration;

use axum::{
    body::Bytes,
    http::{Request, header},
};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::{
    RegisteredClient,
    events::Event,
    oauth_error::OAuthError,
    random::random_text,
    sessions::Participant,
    shared::{Shared, now},
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const TOKEN_LIFETIME: u64 = 2 * 60;
const ATTEMPTS: u8 = 2;
const PAUSE: Duration = Duration::from_millis(200);

/// Tells an app that took part in a session that it has ended (Back-Channel Logout 1.0), if it has registered for that. An app that
/// answers 5xx is told once more.
pub(super) async fn tell(shared: &Shared, subject: &str, participant: &Participant) {
    let Some(client) = shared.registry.client(&participant.client) else {
        return;
    };
    let Some(uri) = &client.backchannel_logout_uri else {
        return;
    };
    let Ok(token) = logout_token(shared, client, subject, &participant.sid) else {
        return;
    };
    for attempt in 1..=ATTEMPTS {
        if attempt > 1 {
            sleep(PAUSE).await;
        }
        let name = || client.id.clone();
        shared.journal.note(Event::LogoutSent {
            client: name(),
            attempt,
        });
        let answered = timeout(
            shared.settings.back_channel_timeout,
            post(shared, uri, &token),
        );
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
    client: &RegisteredClient,
    subject: &str,
    sid: &str,
) -> Result<String, OAuthError> {
    let now = now();
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", json!(shared.issuer));
    claim("aud", json!(client.id));
    claim("iat", json!(now));
    claim("exp", json!(now + TOKEN_LIFETIME));
    claim("jti", json!(random_text()?));
    claim("events", json!({EVENT: {}}));
    claim("sub", json!(subject));
    if client.backchannel_logout_session_required {
        claim("sid", json!(sid));
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
