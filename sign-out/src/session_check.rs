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
    builder::is_local_path,
    csrf::is_prefetch,
    page::Page,
    paths,
    request_session::{RequestSession, is_ended, is_unreadable_ticket},
    response::no_store_response,
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whether a request may pass, by what its ticket says: what the layers for tower and for actix-web have in common.
#[derive(Debug, Clone)]
pub(crate) struct SessionChecker {
    routes: SignOutRoutes,
    sign_in: Option<SignInPage>,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// It passes, without a session.
    Anonymous,
    /// It passes, with its living session.
    SignedIn(Session),
    /// It passes, without a session; the answer drops its ticket.
    RemoveTicket(Option<HeaderValue>),
    /// It does not pass, unless a sign-out route answers it ([`may_be_nested`](paths::may_be_nested)).
    Rejected(Rejection),
}

/// A request that does not pass.
pub(crate) struct Rejection {
    response: Response<Bytes>,
    reason: Error,
}

impl Rejection {
    /// The answer, which is logged with its cause.
    pub(crate) fn into_response(self) -> Response<Bytes> {
        let Self { response, reason } = self;
        if reason.is_signed_out() {
            info(
                "request_of_ended_session",
                format_args!("a request was refused and its ticket dropped: {reason}"),
            );
        } else if is_ended(&reason) {
            warn(
                "ticket_refused",
                format_args!("a request was refused and its ticket dropped: {reason}"),
            );
        } else {
            warn(
                "session_not_checked",
                format_args!("a request was answered with 503 and its ticket kept: {reason}"),
            );
        }
        response
    }
}

impl SessionChecker {
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

    pub(crate) async fn check(&self, request: &Parts) -> Decision {
        if paths::ALL.contains(&request.uri.path()) {
            return Decision::Anonymous;
        }
        let (response, reason) = match self.routes.live_session(request).await {
            Ok(RequestSession::None) => return Decision::Anonymous,
            Ok(RequestSession::Live(session)) => return Decision::SignedIn(session),
            Ok(RequestSession::Ended(reason)) => {
                let removal = self.routes.ticket_source().remove(request).await;
                if self.is_sign_in_page(request) {
                    // A browser that keeps the ticket all the same would go round in circles.
                    return Decision::RemoveTicket(removal);
                }
                (self.ended(request, removal), reason)
            }
            Err(reason) => {
                if is_unreadable_ticket(&reason) && self.is_sign_in_page(request) {
                    return self.allow_sign_in_page(request).await;
                }
                (self.unknown(request, &reason), reason)
            }
        };
        Decision::Rejected(Rejection { response, reason })
    }

    /// The user wants to sign in anew, and the ticket is of no use here. It is dropped when the user goes to the page, so that the
    /// callback passes as well. The session that it names does not end by that, and nothing says so.
    async fn allow_sign_in_page(&self, request: &Parts) -> Decision {
        if is_navigation(request) && !is_prefetch(&request.headers) {
            Decision::RemoveTicket(self.routes.ticket_source().remove(request).await)
        } else {
            Decision::Anonymous
        }
    }

    fn is_sign_in_page(&self, request: &Parts) -> bool {
        self.sign_in.as_ref().is_some_and(|page| {
            page.path == request.uri.path() || paths::original_path(request) == Some(&page.path)
        })
    }

    fn ended(&self, request: &Parts, removal: Option<HeaderValue>) -> Response<Bytes> {
        let mut response = match &self.sign_in {
            Some(page) if is_navigation(request) => {
                let mut response =
                    plain_text_response(StatusCode::SEE_OTHER, "the session has ended");
                response
                    .headers_mut()
                    .insert(header::LOCATION, page.location.clone());
                response
            }
            _ => plain_text_response(
                StatusCode::UNAUTHORIZED,
                "the session has ended; sign in again",
            ),
        };
        if let Some(removal) = removal {
            response.headers_mut().append(header::SET_COOKIE, removal);
        }
        response
    }

    /// Neither passed nor called signed out: whether the session lives is not known (G4).
    fn unknown(&self, request: &Parts, error: &Error) -> Response<Bytes> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut response = if !is_unreadable_ticket(error) {
            let text = "this server cannot tell now whether you are signed in; try again";
            plain_text_response(status, text)
        } else if let Some(page) = self.sign_in.as_ref().filter(|_| is_navigation(request)) {
            let text = "This server cannot read your sign-in, so it cannot tell whether you are signed in. Trying again may help. \
                        Otherwise sign in again.";
            let mut response = Page::new(status, "Sign-in not readable", text);
            response.link = Some((&page.text, "Sign in again"));
            response.to_response()
        } else {
            let text =
                "this server cannot read your sign-in; try again, or sign out and sign in again";
            plain_text_response(status, text)
        };
        if error.is_retryable() {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
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
        let invalid = || {
            ConfigError::new(format!(
                "a page to sign in at is a path of the app, such as \"/login\", not {location:?}"
            ))
        };
        if !is_local_path(location) {
            return Err(invalid());
        }
        let path = location.split(['?', '#']).next().unwrap_or(location);
        Ok(Self {
            text: location.to_owned(),
            location: HeaderValue::from_str(location).map_err(|_| invalid())?,
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

fn plain_text_response(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = no_store_response(status, text);
    let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, text_plain);
    response
}
