use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::{sync::watch, time::sleep};
use url::form_urlencoded;

use crate::{error::OAuthError, http};

/// The most requests of apps that are remembered.
const REMEMBERED: usize = 10_000;

/// A failure of a request at the token or revocation endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 503, optionally with `Retry-After` in seconds. No token is spent.
    Unavailable {
        /// The seconds to wait.
        retry_after: Option<u64>,
    },
    /// 429, with `Retry-After` in seconds. No token is spent.
    TooMany {
        /// The seconds to wait.
        retry_after: u64,
    },
    /// 400 with this error code of RFC 6749 section 5.2. No token is spent.
    Code(&'static str),
    /// The connection is closed before the request is carried out.
    CutRequest,
    /// The request is carried out, and the connection is closed without an answer. The refresh token is spent, and no client has its
    /// successor.
    DropAnswer,
    /// The request is carried out, and the answer is 200 and not JSON.
    Malformed,
    /// The request is carried out, and the answer lacks the access token.
    NoAccessToken,
}

/// A request that arrived at the token or revocation endpoint. `Debug` prints no token and no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppRequest {
    /// `/token` or `/revoke`.
    pub path: String,
    /// The form. Of a parameter that was sent twice, the last value.
    pub form: BTreeMap<String, String>,
}

/// Failures, delays and held answers, for tests. It also has the requests that apps sent.
///
/// A refresh token is spent when its request is carried out, before any delay. A client that is killed while it waits, or whose answer
/// is lost, has spent it, as at a real provider.
#[derive(Debug)]
pub struct Faults {
    script: Mutex<Script>,
    answers: watch::Sender<Answers>,
    door: watch::Sender<Door>,
}

#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Fault>,
    every: Option<Fault>,
    delay: Duration,
    requests: VecDeque<AppRequest>,
}

/// The answers to refreshes.
#[derive(Debug, Default)]
struct Answers {
    held: bool,
    waiting: usize,
}

/// The handling of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// Each connection is closed at once.
    Refusing,
    /// The provider ends: requests that have arrived are answered.
    Ended,
}

/// In the extensions of a response: the connection is closed instead.
#[derive(Clone)]
pub(crate) struct Cut;

impl Faults {
    pub(crate) fn new() -> Self {
        Self {
            script: Mutex::default(),
            answers: watch::Sender::default(),
            door: watch::Sender::new(Door::Open),
        }
    }

    /// Causes `fault` on the next request to the token or revocation endpoint. Several calls queue up.
    pub fn on_next(&self, fault: Fault) {
        self.script().next.push_back(fault);
    }

    /// Causes `fault` on every request to these endpoints until [`clear`](Self::clear).
    pub fn always(&self, fault: Fault) {
        self.script().every = Some(fault);
    }

    /// Ends all faults of [`on_next`](Self::on_next) and [`always`](Self::always).
    pub fn clear(&self) {
        let mut script = self.script();
        script.every = None;
        script.next.clear();
    }

    /// While `refused` is `true`, closes every open connection and each new one: the provider is down.
    pub fn refuse_connections(&self, refused: bool) {
        let door = if refused { Door::Refusing } else { Door::Open };
        self.door.send_replace(door);
    }

    /// Delays the answer to each refresh from now on.
    pub fn delay_refreshes(&self, delay: Duration) {
        self.script().delay = delay;
    }

    /// From now on refreshes are carried out, but their answers wait for [`release_refreshes`](Self::release_refreshes).
    pub fn hold_refreshes(&self) {
        self.answers.send_modify(|answers| answers.held = true);
    }

    /// Lets all refreshes be answered, those that wait and those to come.
    pub fn release_refreshes(&self) {
        self.answers.send_modify(|answers| answers.held = false);
    }

    /// Returns how many answers to refreshes wait.
    pub fn refreshes_held(&self) -> usize {
        let answers = self.answers.borrow();
        if answers.held { answers.waiting } else { 0 }
    }

    /// Returns once a refresh has been carried out whose answer waits.
    pub async fn refresh_held(&self) {
        let mut answers = self.answers.subscribe();
        let is_held = |answers: &Answers| answers.held && answers.waiting > 0;
        // The sender is borrowed for as long as this waits, so the channel can't close, here and below.
        let _ = answers.wait_for(is_held).await;
    }

    /// Returns the latest requests to the token and revocation endpoints, in the order of arrival, refused ones included.
    pub fn requests(&self) -> Vec<AppRequest> {
        self.script().requests.iter().cloned().collect()
    }

    /// Holds back the answer to a refresh for as long as the test wants.
    pub(crate) async fn pass(&self) {
        let delay = self.script().delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let mut answers = self.answers.subscribe();
        let _waiting = Waiting::new(self);
        let _ = answers.wait_for(|answers| !answers.held).await;
    }

    pub(crate) fn door(&self) -> watch::Receiver<Door> {
        self.door.subscribe()
    }

    /// Lets the server end: no connection may wait for an answer any longer.
    pub(crate) fn end(&self) {
        self.release_refreshes();
        self.door.send_replace(Door::Ended);
    }

    /// Records a request of an app, and carries it out as the script says.
    pub(crate) async fn meet(&self, request: Request, next: Next, longest: usize) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, longest).await else {
            return http::empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let fault = self.arrived(parts.uri.path(), &body);
        let request = Request::from_parts(parts, Body::from(body));
        match fault {
            None => next.run(request).await,
            Some(Fault::Unavailable { retry_after }) => {
                busy(StatusCode::SERVICE_UNAVAILABLE, retry_after)
            }
            Some(Fault::TooMany { retry_after }) => {
                busy(StatusCode::TOO_MANY_REQUESTS, Some(retry_after))
            }
            Some(Fault::Code(code)) => {
                OAuthError::bad(code, "as the test wants it").into_response()
            }
            Some(Fault::CutRequest) => cut(),
            Some(Fault::DropAnswer) => {
                next.run(request).await;
                cut()
            }
            Some(Fault::Malformed) => {
                next.run(request).await;
                http::with_type(
                    StatusCode::OK,
                    "text/html",
                    "<html>one moment, please</html>",
                )
            }
            Some(Fault::NoAccessToken) => {
                next.run(request).await;
                let lacking = json!({"token_type": "Bearer", "expires_in": 3600});
                http::json(StatusCode::OK, &lacking)
            }
        }
    }

    fn arrived(&self, path: &str, body: &Bytes) -> Option<Fault> {
        let form = form_urlencoded::parse(body).into_owned().collect();
        let mut script = self.script();
        if script.requests.len() == REMEMBERED {
            script.requests.pop_front();
        }
        script.requests.push_back(AppRequest {
            path: path.to_owned(),
            form,
        });
        script.next.pop_front().or(script.every)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn busy(status: StatusCode, retry_after: Option<u64>) -> Response {
    let mut response = http::empty(status);
    if let Some(seconds) = retry_after {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn cut() -> Response {
    let mut response = http::empty(StatusCode::INTERNAL_SERVER_ERROR);
    response.extensions_mut().insert(Cut);
    response
}

/// Counts an answer that waits, also if its client disconnects.
struct Waiting<'a>(&'a Faults);

impl<'a> Waiting<'a> {
    fn new(faults: &'a Faults) -> Self {
        faults.answers.send_modify(|answers| answers.waiting += 1);
        Self(faults)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.answers.send_modify(|answers| answers.waiting -= 1);
    }
}

impl fmt::Debug for AppRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppRequest")
            .field("path", &self.path)
            .field("grant_type", &self.form.get("grant_type"))
            .finish_non_exhaustive()
    }
}
