use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{notice::notice, server::Server};
use crate::oidc::{Attempt, MAX_AGE};

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    prompt: Option<String>,
    /// Set by the page that a refused sign-in ends on: it is not offered twice.
    again: Option<String>,
}

/// The state of a sign-in until the callback, in a cookie for each `state`, so that sign-ins in two tabs do not disturb each other.
#[derive(Serialize, Deserialize)]
pub(crate) struct Started {
    nonce: String,
    verifier: String,
    /// The moment, sealed by token-cache.
    pub(crate) moment: String,
    /// `true` if a sign-in has been refused before.
    pub(crate) again: bool,
}

/// The cookie of an attempt cannot be read.
pub(crate) struct Unreadable;

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
    let moment = match server.cache.start_sign_in_with_max_age(MAX_AGE) {
        Ok(started) => started.to_text(),
        Err(error) => return unavailable(&error.to_string()),
    };
    let (url, attempt) = server.oidc.authorization_request(force_login);
    let started = Started {
        nonce: attempt.nonce,
        verifier: attempt.verifier,
        moment,
        again: asked.again.is_some(),
    };
    match (
        HeaderValue::from_str(url.as_str()),
        started.cookies(&server, &request, &attempt.state),
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
    fn cookies(&self, server: &Server, request: &Parts, state: &str) -> Option<Vec<HeaderValue>> {
        let json = serde_json::to_vec(self).ok()?;
        let value = BASE64_URL_SAFE_NO_PAD.encode(json);
        server.signing_in.set(request, state, &value).ok()
    }

    /// Returns the state of a sign-in, or `None` if it did not begin in this browser.
    ///
    /// # Errors
    /// A cookie of this `state` that cannot be read.
    pub(crate) fn read(
        server: &Server,
        request: &Parts,
        state: &str,
    ) -> Result<Option<Self>, Unreadable> {
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

    pub(crate) fn attempt(&self, state: String) -> Attempt {
        Attempt {
            state,
            nonce: self.nonce.clone(),
            verifier: self.verifier.clone(),
        }
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
