use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use token_cache::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast, watch},
    time::{Interval, MissedTickBehavior, interval},
};

use super::{
    near_cache::copies,
    plain_app::fingerprint,
    server::Server,
    signed_in::{Denied, SignedIn, watched},
    timeline::Event,
};
use crate::steps::tokens_key;

/// How often a server reads its state again without an event: another process may share the store.
const LOOK: Duration = Duration::from_secs(1);

/// How often a server says what its near caches come to: as often as its lease is renewed.
const NEAR_CACHE: Duration = Duration::from_millis(250);

/// `GET /events`: what this server knows of this browser's user (`state`), its near cache (`copies`), and what happens
/// on all of them (`told`), as server-sent events. It only reads.
pub(crate) async fn events(State(server): State<Arc<Server>>, request: Request) -> Response {
    let Ok(room) = Arc::clone(&server.watchers).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let (request, _) = request.into_parts();
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    let watching = Watching::begin(server, request, room);
    Sse::new(watching.stream())
        .keep_alive(keep_alive)
        .into_response()
}

/// One open page.
struct Watching {
    server: Arc<Server>,
    request: Parts,
    missed: std::vec::IntoIter<Event>,
    live: broadcast::Receiver<Event>,
    closing: watch::Receiver<bool>,
    looks: Interval,
    told: Option<Value>,
    counts: Interval,
    counted: Option<Value>,
    _room: OwnedSemaphorePermit,
}

impl Watching {
    fn begin(server: Arc<Server>, request: Parts, room: OwnedSemaphorePermit) -> Self {
        let seen = request
            .headers
            .get("last-event-id")
            .and_then(|id| id.to_str().ok()?.parse().ok());
        let (missed, live) = server.shared.timeline.follow(seen.unwrap_or(0));
        Self {
            closing: server.shared.closing.clone(),
            missed: missed.into_iter(),
            live,
            looks: ticks(LOOK),
            told: None,
            counts: ticks(NEAR_CACHE),
            counted: None,
            server,
            request,
            _room: room,
        }
    }

    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, |mut watching| async move {
            let event = watching.next().await?;
            Some((Ok(event), watching))
        })
    }

    /// Returns the next event, or `None` when the app ends.
    async fn next(&mut self) -> Option<sse::Event> {
        if let Some(event) = self.missed.next() {
            return Some(told(&event));
        }
        loop {
            match self.something().await {
                Something::Closing => return None,
                Something::Told(event) => {
                    self.looks.reset_immediately();
                    self.counts.reset_immediately();
                    return Some(told(&event));
                }
                Something::TimeToLook => {
                    let state = state(&self.server, &self.request).await;
                    if let Some(event) = news("state", &mut self.told, state) {
                        return Some(event);
                    }
                }
                Something::TimeToCount => {
                    let copies = copies(&self.server);
                    if let Some(event) = news("copies", &mut self.counted, copies) {
                        return Some(event);
                    }
                }
            }
        }
    }

    async fn something(&mut self) -> Something {
        loop {
            tokio::select! {
                _ = self.closing.wait_for(|closing| *closing) => return Something::Closing,
                event = self.live.recv() => match event {
                    Ok(event) => return Something::Told(event),
                    // What a slow page misses it can do without.
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return Something::Closing,
                },
                _ = self.looks.tick() => return Something::TimeToLook,
                _ = self.counts.tick() => return Something::TimeToCount,
            }
        }
    }
}

/// An event that a page waits for.
enum Something {
    Closing,
    Told(Event),
    TimeToLook,
    TimeToCount,
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// An event, where something is other than it was.
fn news(name: &str, told: &mut Option<Value>, value: Value) -> Option<sse::Event> {
    if told.as_ref() == Some(&value) {
        return None;
    }
    let event = sse::Event::default().event(name).data(value.to_string());
    *told = Some(value);
    Some(event)
}

fn told(event: &Event) -> sse::Event {
    let json = serde_json::to_string(event).unwrap_or_default();
    let id = event.id.to_string();
    sse::Event::default().event("told").id(id).data(json)
}

async fn state(server: &Server, request: &Parts) -> Value {
    json!({
        "server": server.name,
        "token_cache": of_token_cache(server, request).await,
        "plain_cache": of_plain_cache(server, request).await,
    })
}

async fn of_token_cache(server: &Server, request: &Parts) -> Value {
    let looked = async {
        let SignedIn { session, profile } = SignedIn::at(server, request).await?;
        let entry = session.get(&tokens_key()?).await?;
        let tokens = entry.map(|entry| entry.tokens()).transpose()?;
        Ok::<_, Denied>((profile, tokens))
    };
    match server.reading(looked).await {
        Ok(((profile, tokens), _)) => json!({
            "state": "signed_in",
            "name": profile.name,
            "sid": profile.sid,
            "token": tokens.as_ref().map(fingerprint),
            "expires_at_ms": tokens.and_then(|tokens| tokens.expires_at()).map(Timestamp::as_millis),
        }),
        Err(Denied::Nobody | Denied::NoTicket) => json!({"state": "nobody"}),
        Err(Denied::SignedOut) => json!({"state": "signed_out"}),
        Err(Denied::Failed(error)) => json!({"state": "unknown", "message": error.to_string()}),
    }
}

async fn of_plain_cache(server: &Server, request: &Parts) -> Value {
    let subject = match watched(server, request) {
        Ok(Some(subject)) => subject,
        Ok(None) => return json!({"state": "nobody"}),
        Err(_) => return json!({"state": "unknown"}),
    };
    match server.shared.plain.holds(&subject).await {
        Ok(Some(token)) => json!({"state": "holds", "subject": subject, "token": token}),
        Ok(None) => json!({"state": "empty", "subject": subject}),
        Err(_) => json!({"state": "unknown"}),
    }
}
