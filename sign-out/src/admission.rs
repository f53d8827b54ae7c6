use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use token_cache_core::{
    Error, Session,
    telemetry::{info, warn},
};

use crate::{
    ConfigError, SignOutRoutes,
    answer::answer,
    builder::is_local_path,
    held::{Held, is_unreadable, opens_nothing},
    page::Page,
    paths,
    same_site::is_prefetch,
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
    /// It does not pass, unless a sign-out route answers it ([`may_be_nested`](paths::may_be_nested)).
    Refused(Refused),
}

/// A request that does not pass.
pub(crate) struct Refused {
    answer: Response<Bytes>,
    because: Error,
}

impl Refused {
    /// The answer, which is logged with its cause.
    pub(crate) fn answer(self) -> Response<Bytes> {
        let Self { answer, because } = self;
        if because.is_signed_out() {
            info(
                "request_of_ended_session",
                format_args!("a request was refused and its ticket dropped: {because}"),
            );
        } else if opens_nothing(&because) {
            warn(
                "ticket_refused",
                format_args!("a request was refused and its ticket dropped: {because}"),
            );
        } else {
            warn(
                "session_not_checked",
                format_args!("a request was answered with 503 and its ticket kept: {because}"),
            );
        }
        answer
    }
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
        let (answer, because) = match self.routes.held_and_living(request).await {
            Ok(Held::Nothing) => return Admission::Anonymous,
            Ok(Held::Session(session)) => return Admission::SignedIn(session),
            Ok(Held::Dead(because)) => {
                let dropped = self.routes.tickets().forget(request).await;
                if self.is_sign_in_page(request) {
                    // A browser that keeps the ticket all the same would go round in circles.
                    return Admission::Dropping(dropped);
                }
                (self.ended(request, dropped), because)
            }
            Err(because) => {
                if is_unreadable(&because) && self.is_sign_in_page(request) {
                    return self.sign_in_anew(request).await;
                }
                (self.unknown(request, &because), because)
            }
        };
        Admission::Refused(Refused { answer, because })
    }

    /// The user wants to sign in anew, and the ticket is of no use here. It is dropped when the user goes to the page, so that the
    /// callback passes as well. The session that it names does not end by that, and nothing says so.
    async fn sign_in_anew(&self, request: &Parts) -> Admission {
        if is_navigation(request) && !is_prefetch(&request.headers) {
            Admission::Dropping(self.routes.tickets().forget(request).await)
        } else {
            Admission::Anonymous
        }
    }

    fn is_sign_in_page(&self, request: &Parts) -> bool {
        self.sign_in.as_ref().is_some_and(|page| {
            page.path == request.uri.path() || paths::before_nesting(request) == Some(&page.path)
        })
    }

    fn ended(&self, request: &Parts, dropped: Option<HeaderValue>) -> Response<Bytes> {
        let mut answer = match &self.sign_in {
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
        answer
    }

    /// Neither passed nor called signed out: whether the session lives is not known (G4).
    fn unknown(&self, request: &Parts, error: &Error) -> Response<Bytes> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut answer = if !is_unreadable(error) {
            let text = "this server cannot tell now whether you are signed in; try again";
            refusal(status, text)
        } else if let Some(page) = self.sign_in.as_ref().filter(|_| is_navigation(request)) {
            let text = "This server cannot read your sign-in, so it cannot tell whether you are signed in. Trying again may help. \
                        Otherwise sign in again.";
            let mut answer = Page::new(status, "Sign-in not readable", text);
            answer.link = Some((&page.text, "Sign in again"));
            answer.answer()
        } else {
            let text =
                "this server cannot read your sign-in; try again, or sign out and sign in again";
            refusal(status, text)
        };
        if error.is_retryable() {
            let headers = answer.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}

/// Where a browser is sent whose session has ended: a path of the app, never of the request's choosing.
#[derive(Debug, Clone)]
struct SignInPage {
    text: String,
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
            text: location.to_owned(),
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

fn refusal(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut answer = answer(status, text);
    let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, text_plain);
    answer
}
