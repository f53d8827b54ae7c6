use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use token_cache::Error;

use super::{notice::notice, server::Server, signed_in::WATCHED, timeline::Kind};
use crate::steps::{NotSignedIn, Profile, SignedIn, StateCookie};

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    prompt: Option<String>,
    /// Set by the page that a refused sign-in ends on: it is not offered twice.
    again: Option<String>,
}

/// The state of a sign-in until the callback, in a cookie for each `state`, so that sign-ins in two tabs do not disturb each other.
#[derive(Serialize, Deserialize)]
struct Started {
    #[serde(flatten)]
    state: StateCookie,
    /// `true` if a sign-in has been refused before.
    again: bool,
}

/// The cookie of an attempt cannot be read.
struct Unreadable;

/// `GET /login`: to the provider, with `?prompt=login` to authenticate anew.
pub(crate) async fn login(
    State(server): State<Arc<Server>>,
    Query(asked): Query<Asked>,
    request: Parts,
) -> Response {
    let force_login = match asked.prompt.as_deref() {
        None => false,
        Some("login") => true,
        Some(_) => {
            let text = "The only prompt there is here is login.";
            return notice(
                StatusCode::BAD_REQUEST,
                "Sign in",
                text,
                &[("Sign in", "/login")],
            );
        }
    };
    let (url, state) = match server.app.start_sign_in(force_login) {
        Ok(started) => started,
        Err(error) => return unavailable(&error.to_string()),
    };
    let started = Started {
        state,
        again: asked.again.is_some(),
    };
    match (
        HeaderValue::from_str(url.as_str()),
        started.cookies(&server, &request),
    ) {
        (Ok(location), Some(cookies)) => (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            AppendHeaders(
                cookies
                    .into_iter()
                    .map(|cookie| (header::SET_COOKIE, cookie)),
            ),
        )
            .into_response(),
        _ => unavailable("the provider's address fits no header"),
    }
}

impl Started {
    /// The `Set-Cookie` headers that have the browser remember it.
    fn cookies(&self, server: &Server, request: &Parts) -> Option<Vec<HeaderValue>> {
        let state = &self.state.attempt.state;
        let json = serde_json::to_vec(self).ok()?;
        let value = BASE64_URL_SAFE_NO_PAD.encode(json);
        server.signing_in.set(request, state, &value).ok()
    }

    /// Returns the state of a sign-in, or `None` if it did not begin in this browser.
    ///
    /// # Errors
    /// A cookie of this `state` that cannot be read.
    fn read(server: &Server, request: &Parts, state: &str) -> Result<Option<Self>, Unreadable> {
        let value = server
            .signing_in
            .read(request, state)
            .map_err(|_| Unreadable)?;
        let Some(value) = value else {
            return Ok(None);
        };
        let json = BASE64_URL_SAFE_NO_PAD
            .decode(value)
            .map_err(|_| Unreadable)?;
        serde_json::from_slice(&json)
            .map(Some)
            .map_err(|_| Unreadable)
    }
}

fn unavailable(why: &str) -> Response {
    notice(
        StatusCode::SERVICE_UNAVAILABLE,
        "Sign-in is not possible just now",
        why,
        &[("Try again", "/login"), ("Back", "/")],
    )
}

/// The provider's answer by the browser (OpenID Connect Core 1.0 section 3.1.2.5; `iss` is of RFC 9207).
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// `GET /callback`: exchanges the code, begins the session, and keeps its ticket in a fresh cookie.
pub(crate) async fn callback(
    State(server): State<Arc<Server>>,
    Query(answer): Query<Answer>,
    request: Parts,
) -> Response {
    let Some(state) = answer.state else {
        return not_begun_here();
    };
    let started = match Started::read(&server, &request, &state) {
        Ok(Some(started)) => started,
        Ok(None) => return not_begun_here(),
        Err(Unreadable) => return unreadable(),
    };
    let mut response = match (answer.code, answer.error) {
        (Some(_), None)
            if answer
                .iss
                .is_some_and(|iss| iss != server.shared.provider.issuer) =>
        {
            not_begun_here()
        }
        (Some(code), None) => sign_in(&server, code, started).await,
        (_, error) => not_signed_in(&server, error.as_deref()),
    };
    if let Some(forget) = server.signing_in.removal(&state) {
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    response
}

async fn sign_in(server: &Server, code: String, started: Started) -> Response {
    let Started { state, again } = started;
    let failed_at = match server.app.finish_sign_in(state, code).await {
        Ok(signed_in) => return came_in(server, &signed_in).await,
        Err(failed_at) => failed_at,
    };
    match failed_at {
        NotSignedIn::AtProvider(why) => {
            server.tell(Kind::Failed, format!("A sign-in failed: {why}."));
            notice(
                StatusCode::BAD_GATEWAY,
                "The sign-in did not work",
                &format!("{why}."),
                &[("Try again", "/login"), ("Back", "/")],
            )
        }
        NotSignedIn::Refused { name, error } => {
            let text = format!("The sign-in of {name} is refused: {error}.");
            server.tell(Kind::Refused, text);
            refused(again)
        }
        NotSignedIn::NotKept(error) => failed(server, &error),
    }
}

async fn came_in(server: &Server, signed_in: &SignedIn) -> Response {
    let ticket = signed_in.cookie.ticket.as_deref().unwrap_or_default();
    let ticket = match ticket.parse() {
        Ok(ticket) => ticket,
        Err(error) => return failed(server, &error),
    };
    let Profile { name, subject, .. } = Profile::of(&signed_in.authenticated);
    let text = format!("{name} has signed in. The ticket opens every server.");
    server.tell(Kind::SignedIn, text);
    let tokens = &signed_in.authenticated.tokens;
    let shared = &server.shared;
    shared
        .plain
        .tokens_came_in(&shared.timeline, &server.name, &subject, tokens)
        .await;
    welcome(server.tickets.set(&ticket), &subject, server)
}

fn welcome(ticket: HeaderValue, subject: &str, server: &Server) -> Response {
    let mut response = (
        StatusCode::SEE_OTHER,
        [
            (header::LOCATION, HeaderValue::from_static("/")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ],
    )
        .into_response();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.append(header::SET_COOKIE, ticket);
    let watched = BASE64_URL_SAFE_NO_PAD.encode(subject);
    if let Some(watched) = server.cookies.set(WATCHED, &watched, None) {
        headers.append(header::SET_COOKIE, watched);
    }
    response
}

/// Offers one more sign-in. A user who is refused again is not redirected in a loop.
fn refused(again: bool) -> Response {
    let (text, ways_on): (&str, &[(&str, &str)]) = if again {
        (
            "It happened a second time. Either this account is being signed out again and again, or the provider does not say \
             when you signed in there. Wait a few minutes and try again. If it still fails, tell the people who run this app.",
            &[("Back", "/")],
        )
    } else {
        (
            "This account was signed out in the meantime, or you signed in at the provider too long ago, or it took you more \
             than 15 minutes. Press \"Sign in again\" and enter your password at the provider.",
            &[
                ("Sign in again", "/login?prompt=login&again=1"),
                ("Back", "/"),
            ],
        )
    };
    notice(
        StatusCode::FORBIDDEN,
        "You are not signed in",
        text,
        ways_on,
    )
}

fn not_begun_here() -> Response {
    notice(
        StatusCode::BAD_REQUEST,
        "This sign-in did not begin in this browser",
        "Or it took longer than a quarter of an hour.",
        &[("Sign in", "/login"), ("Back", "/")],
    )
}

fn unreadable() -> Response {
    notice(
        StatusCode::BAD_REQUEST,
        "This sign-in cannot be continued",
        "The cookie in which this browser remembers it cannot be read.",
        &[("Sign in", "/login"), ("Back", "/")],
    )
}

fn not_signed_in(server: &Server, error: Option<&str>) -> Response {
    let error = error.unwrap_or("it sent neither a code nor an error");
    server.tell(Kind::Provider, "The provider did not sign a user in.");
    notice(
        StatusCode::FORBIDDEN,
        "The provider did not sign you in",
        &format!("It says: {error}."),
        &[("Try again", "/login"), ("Back", "/")],
    )
}

fn failed(server: &Server, error: &Error) -> Response {
    server.tell(Kind::Failed, format!("A sign-in failed: {error}"));
    notice(
        StatusCode::SERVICE_UNAVAILABLE,
        "The sign-in could not be kept",
        &error.to_string(),
        &[("Try again", "/login"), ("Back", "/")],
    )
}
