use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use token_cache::{Error, ErrorKind, Session, SignIn, sign_out::id_token_key};

use super::{
    login::{Started, Unreadable},
    notice::notice,
    profile::{Profile, tokens_key},
    server::Server,
    timeline::Kind,
    watched::WATCHED,
};
use crate::oidc::Authenticated;

/// The lifetime of a session without a sign-out.
const LIFETIME: Duration = Duration::from_secs(3600);

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
        (Some(code), None) => sign_in(&server, code, &state, &started).await,
        (_, error) => not_signed_in(&server, error.as_deref()),
    };
    if let Some(forget) = server.signing_in.removal(&state) {
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    response
}

async fn sign_in(server: &Server, code: String, state: &str, started: &Started) -> Response {
    let sent_at = match server.cache.now() {
        Ok(now) => now,
        Err(error) => return failed(server, &error),
    };
    let authenticated = match server
        .oidc
        .exchange(code, started.attempt(state.to_owned()), sent_at)
        .await
    {
        Ok(authenticated) => authenticated,
        Err(why) => {
            server.tell(Kind::Failed, format!("A sign-in failed: {why}."));
            return notice(
                StatusCode::BAD_GATEWAY,
                "The sign-in did not work",
                &format!("{why}."),
                &[("Try again", "/login"), ("Back", "/")],
            );
        }
    };
    let profile = Profile::of(&authenticated);
    let begun = begin(server, &authenticated, profile.clone(), &started.moment).await;
    let error = match begun.and_then(|session| session.ticket()) {
        Ok(ticket) => {
            let text = format!(
                "{} has signed in. The ticket opens every server.",
                profile.name
            );
            server.tell(Kind::SignedIn, text);
            came_in(server, &authenticated, profile.subject.clone()).await;
            return welcome(server.tickets.set(&ticket), &profile, server);
        }
        Err(error) => error,
    };
    if let Some(refresh_token) = authenticated.tokens.refresh_token() {
        server.oidc.revoke(refresh_token).await;
    }
    match error.kind() {
        ErrorKind::SignedOut | ErrorKind::SignInRevoked => {
            let text = format!("The sign-in of {} is refused: {error}.", profile.name);
            server.tell(Kind::Refused, text);
            refused(started.again)
        }
        _ => failed(server, &error),
    }
}

async fn begin(
    server: &Server,
    authenticated: &Authenticated,
    profile: Profile,
    moment: &str,
) -> Result<Session, Error> {
    let sign_in = SignIn::from_claims(&authenticated.session, &moment.parse()?)?;
    let session = server.cache.sign_in(sign_in.lifetime(LIFETIME)).await?;
    profile.put(&session).await?;
    session.put(&tokens_key()?, &authenticated.tokens).await?;
    session
        .put(&id_token_key()?, authenticated.id_token.as_bytes())
        .await?;
    Ok(session)
}

async fn came_in(server: &Server, authenticated: &Authenticated, subject: String) {
    server
        .shared
        .plain
        .tokens_came_in(
            &server.shared.timeline,
            &server.name,
            &subject,
            &authenticated.tokens,
        )
        .await;
}

fn welcome(ticket: HeaderValue, profile: &Profile, server: &Server) -> Response {
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
    let watched = BASE64_URL_SAFE_NO_PAD.encode(&profile.subject);
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
