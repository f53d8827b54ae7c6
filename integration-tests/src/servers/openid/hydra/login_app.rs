use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Administration;
use crate::servers::ServerError;
use crate::servers::openid::http::Body;
use crate::servers::openid::listening::Listening;
use crate::servers::openid::{PASSWORD, USER};

/// The button of the sign-in page.
pub(super) const SIGN_IN: &str = "Sign in";
/// The button of the sign-out page.
pub(super) const SIGN_OUT: &str = "Sign out";
/// The text of the last page.
pub(super) const SIGNED_OUT: &str = "You are signed out";

/// The app in which Hydra's users sign in, consent to a client's request, and sign out: Hydra has no pages of its own. It makes Hydra
/// remember each session, since Hydra sends logout messages only for remembered sessions.
#[derive(Debug)]
pub(super) struct LoginApp {
    _listening: Listening,
}

impl LoginApp {
    /// Starts it at `address`. It reports the user's actions to Hydra's administration.
    ///
    /// # Errors
    /// The port is taken.
    pub(super) fn start(
        address: SocketAddr,
        administration: Administration,
    ) -> Result<Self, ServerError> {
        let listening = Listening::start(address, move |request| {
            answer(administration.clone(), request)
        })?;
        Ok(Self {
            _listening: listening,
        })
    }
}

/// A request of a browser.
struct Asked {
    method: Method,
    path: String,
    /// The parameters of the query and those of the form.
    parameters: Vec<(String, String)>,
}

impl Asked {
    fn parameter(&self, name: &str) -> &str {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }
}

/// An answer to a browser.
enum Answer {
    Page(String),
    Redirect(String),
}

async fn answer(
    administration: Administration,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let (query, form) = (form_urlencoded::parse(query), form_urlencoded::parse(&body));
    let parameters = query.into_owned().chain(form.into_owned()).collect();
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        parameters,
    };
    // A request to the administration blocks.
    let answered = tokio::task::spawn_blocking(move || decide(&administration, &asked)).await;
    let answered = answered.unwrap_or_else(|error| Err(ServerError::new(error.to_string())));
    let (status, header, body) = match answered {
        Ok(Answer::Page(page)) => (StatusCode::OK, (CONTENT_TYPE, "text/html".to_owned()), page),
        Ok(Answer::Redirect(to)) => (StatusCode::SEE_OTHER, (LOCATION, to), String::new()),
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            (CONTENT_TYPE, "text/plain".to_owned()),
            error.to_string(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    if let Ok(value) = header.1.parse() {
        response.headers_mut().insert(header.0, value);
    }
    Ok(response)
}

fn decide(administration: &Administration, asked: &Asked) -> Result<Answer, ServerError> {
    match (&asked.method, asked.path.as_str()) {
        (&Method::GET, "/login") => Ok(Answer::Page(form(
            asked,
            "login_challenge",
            "<input name=username><input name=password type=password>",
            SIGN_IN,
        ))),
        (&Method::POST, "/login") => {
            if (asked.parameter("username"), asked.parameter("password")) != (USER, PASSWORD) {
                return Err(ServerError::new("no such user"));
            }
            let session = json!({"subject": USER, "remember": true, "remember_for": 0});
            accept(administration, asked, "login", &session)
        }
        // The user consents to everything that the client requests.
        (&Method::GET, "/consent") => {
            let challenge = asked.parameter("consent_challenge");
            let path = format!("/oauth2/auth/requests/consent?consent_challenge={challenge}");
            let request = administration.ask(&Method::GET, &path, Body::None)?;
            let granted = json!({
                "grant_scope": request["requested_scope"],
                "grant_access_token_audience": request["requested_access_token_audience"],
            });
            accept(administration, asked, "consent", &granted)
        }
        (&Method::GET, "/logout") => {
            Ok(Answer::Page(form(asked, "logout_challenge", "", SIGN_OUT)))
        }
        (&Method::POST, "/logout") => accept(administration, asked, "logout", &json!({})),
        (&Method::GET, "/signed-out") => Ok(Answer::Page(format!("<p>{SIGNED_OUT}</p>"))),
        (method, path) => Err(ServerError::new(format!("no page: {method} {path}"))),
    }
}

/// Returns a page with one form, which sends the challenge back.
fn form(asked: &Asked, challenge: &str, fields: &str, button: &str) -> String {
    // A challenge has letters, digits, `-`, `_` and `=` only.
    let value = asked.parameter(challenge);
    format!(
        "<!doctype html><form method=post><input type=hidden name={challenge} value=\"{value}\">{fields}<button>{button}</button></form>"
    )
}

/// Reports the user's action to the administration, and redirects the browser back to Hydra.
fn accept(
    administration: &Administration,
    asked: &Asked,
    what: &str,
    with: &Value,
) -> Result<Answer, ServerError> {
    let name = format!("{what}_challenge");
    let challenge = asked.parameter(&name);
    let path = format!("/oauth2/auth/requests/{what}/accept?{name}={challenge}");
    let accepted = administration.ask(&Method::PUT, &path, Body::Json(with))?;
    let to = accepted["redirect_to"].as_str();
    let to = to.ok_or_else(|| ServerError::new(format!("no redirect_to: {accepted}")))?;
    Ok(Answer::Redirect(to.to_owned()))
}
