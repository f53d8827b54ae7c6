use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use token_cache_core::{Error, Session};

use crate::{
    ConfigError, SignOutRoutes, answer::answer, builder::is_local_path, held::Held, paths,
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whether a request may pass, by what its ticket says: what the layers for tower and for actix-web have in common.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    routes: SignOutRoutes,
    sign_in: Option<SignInPage>,
}

/// What becomes of a request.
pub(crate) enum Admission {
    /// It passes, without a session.
    Anonymous,
    /// It passes, with its living session.
    SignedIn(Session),
    /// It passes, without a session; the answer drops its ticket.
    Dropping(Option<HeaderValue>),
    /// It does not pass.
    Refused(Response<Bytes>),
}

impl Gate {
    pub(crate) fn new(routes: SignOutRoutes) -> Self {
        Self {
            routes,
            sign_in: None,
        }
    }

    pub(crate) fn redirect_to(mut self, sign_in: &str) -> Result<Self, ConfigError> {
        self.sign_in = Some(SignInPage::new(sign_in)?);
        Ok(self)
    }

    pub(crate) async fn admit(&self, request: &Parts) -> Admission {
        if paths::ALL.contains(&request.uri.path()) {
            return Admission::Anonymous;
        }
        match self.routes.held_and_living(request).await {
            Ok(Held::Nothing) => Admission::Anonymous,
            Ok(Held::Session(session)) => Admission::SignedIn(session),
            Ok(Held::Dead) => {
                let dropped = self.routes.tickets().forget(request).await;
                self.refuse_dead(request, dropped)
            }
            Err(error) => Admission::Refused(unknown(&error)),
        }
    }

    fn refuse_dead(&self, request: &Parts, dropped: Option<HeaderValue>) -> Admission {
        let mut answer = match &self.sign_in {
            // A browser that keeps the ticket all the same would go round in circles.
            Some(page) if page.path == request.uri.path() => return Admission::Dropping(dropped),
            Some(page) if is_navigation(request) => {
                let mut answer = refusal(StatusCode::SEE_OTHER, "the session has ended");
                answer
                    .headers_mut()
                    .insert(header::LOCATION, page.location.clone());
                answer
            }
            _ => refusal(
                StatusCode::UNAUTHORIZED,
                "the session has ended; sign in again",
            ),
        };
        if let Some(dropped) = dropped {
            answer.headers_mut().append(header::SET_COOKIE, dropped);
        }
        Admission::Refused(answer)
    }
}

/// Where a browser is sent whose session has ended: a path of the app, never of the request's choosing.
#[derive(Debug, Clone)]
struct SignInPage {
    location: HeaderValue,
    path: String,
}

impl SignInPage {
    fn new(location: &str) -> Result<Self, ConfigError> {
        let refused = || {
            ConfigError::new(format!(
                "a page to sign in at is a path of the app, such as \"/login\", not {location:?}"
            ))
        };
        if !is_local_path(location) {
            return Err(refused());
        }
        let path = location.split(['?', '#']).next().unwrap_or(location);
        Ok(Self {
            location: HeaderValue::from_str(location).map_err(|_| refused())?,
            path: path.to_owned(),
        })
    }
}

fn is_navigation(request: &Parts) -> bool {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return false;
    }
    match text(&request.headers, &SEC_FETCH_MODE) {
        Some(mode) => mode == "navigate",
        None => text(&request.headers, &header::ACCEPT)
            .is_some_and(|accepted| accepted.contains("text/html")),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Neither passed nor called signed out: who is behind the request can't be told now (G4).
fn unknown(error: &Error) -> Response<Bytes> {
    let text = "whether the session lives can't be told now; try again";
    let mut answer = refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    if error.is_retryable() {
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut answer = answer(status, text);
    let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, text_plain);
    answer
}
