use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{notice::notice, server::Server};
use crate::oidc::Attempt;

/// How long a user may take to sign in: as long as the cache allows.
const LIFE: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    prompt: Option<String>,
    /// Set by the page that a refused sign-in ends on: it is not offered twice.
    again: Option<String>,
}

/// What the browser carries to the callback, in a cookie named for the attempt's `state`: attempts in two tabs don't disturb
/// each other.
#[derive(Serialize, Deserialize)]
pub(crate) struct Started {
    nonce: String,
    verifier: String,
    /// The moment, sealed by token-cache.
    pub(crate) moment: String,
    /// True where a sign-in has been refused before.
    pub(crate) again: bool,
}

/// `GET /login`: to the provider, with `?prompt=login` to authenticate anew.
pub(crate) async fn login(
    State(server): State<Arc<Server>>,
    Query(asked): Query<Asked>,
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
    let moment = match server.cache.start_sign_in() {
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
        started.cookie(&server, &attempt.state),
    ) {
        (Ok(location), Some(cookie)) => (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, location),
                (header::SET_COOKIE, cookie),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
        )
            .into_response(),
        _ => unavailable("the provider's address fits no header"),
    }
}

impl Started {
    fn cookie(&self, server: &Server, state: &str) -> Option<HeaderValue> {
        let json = serde_json::to_vec(self).ok()?;
        let value = BASE64_URL_SAFE_NO_PAD.encode(json);
        server.cookies.set(&cookie_name(state)?, &value, Some(LIFE))
    }

    /// What the attempt of this `state` began with, if it began in this browser.
    pub(crate) fn read(server: &Server, headers: &HeaderMap, state: &str) -> Option<Self> {
        let value = server.cookies.read(headers, &cookie_name(state)?)?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        serde_json::from_slice(&json).ok()
    }

    pub(crate) fn forget(server: &Server, state: &str) -> Option<HeaderValue> {
        server.cookies.forget(&cookie_name(state)?)
    }

    pub(crate) fn attempt(&self, state: String) -> Attempt {
        Attempt {
            state,
            nonce: self.nonce.clone(),
            verifier: self.verifier.clone(),
        }
    }
}

/// None for what can't be a `state` of ours.
fn cookie_name(state: &str) -> Option<String> {
    let is_ours = (1..=64).contains(&state.len())
        && state
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_ours.then(|| format!("token-cache-demo-login-{state}"))
}

fn unavailable(why: &str) -> Response {
    notice(
        StatusCode::SERVICE_UNAVAILABLE,
        "Nobody can sign in just now",
        why,
        &[("Try again", "/login"), ("Back", "/")],
    )
}
