use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts,
};
use token_cache_core::{
    Error, Session,
    telemetry::{info, warn},
};

use crate::{
    config::{ConfigError, is_local_path},
    csrf::is_prefetch,
    http::{Page, plain_text_response, retry_soon},
    paths,
    routes::{RequestSession, SignOutRoutes, is_ended, is_unreadable_ticket},
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Decides by its ticket whether a request may pass. The middlewares for tower and for actix-web share it.
#[derive(Debug, Clone)]
pub(crate) struct SessionChecker {
    routes: SignOutRoutes,
    sign_in: Option<SignInPage>,
}

/// The decision about a request.
pub(crate) enum Decision {
    /// It passes without a session.
    Anonymous,
    /// It passes with its live session.
    SignedIn(Session),
    /// It passes without a session, and the response removes its ticket.
    RemoveTicket(Option<HeaderValue>),
    /// It is rejected, unless a sign-out route handles it ([`may_be_nested`](paths::may_be_nested)).
    Rejected(Rejection),
}

/// The rejection of a request.
pub(crate) struct Rejection {
    response: Response<Bytes>,
    reason: Error,
}

impl Rejection {
    /// Returns the response, and logs the reason.
    pub(crate) fn into_response(self) -> Response<Bytes> {
        let Self { response, reason } = self;
        if reason.is_signed_out() {
            info(
                "request_of_ended_session",
                format_args!("a request was refused and its ticket removed: {reason}"),
            );
        } else if is_ended(&reason) {
            warn(
                "ticket_refused",
                format_args!("a request was refused and its ticket removed: {reason}"),
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
                    // Otherwise a browser that keeps the ticket would be redirected forever.
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

    /// Lets the user sign in again, because the ticket cannot be read here. A page request also removes the ticket, so
    /// that the callback passes. The session of the ticket does not end.
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

    /// Returns 503, because it is unknown whether the session is live (G4).
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
            retry_soon(&mut response);
        }
        response
    }
}

/// The app's sign-in page, to which a browser is redirected if its session has ended. It is never taken from the
/// request.
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
                "`redirect_to` got {location:?}, which is not a path of this app; pass a path such as \"/login\""
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
