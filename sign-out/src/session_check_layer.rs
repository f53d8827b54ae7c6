use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response, header};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    ConfigError, SignOutRoutes,
    paths::{self, SignOutRouteResponse},
    session_check::{Decision, SessionChecker},
    signed_in::SessionChecked,
};

/// A tower layer that refuses every request whose session was signed out, on any server: the app's own cookie ends with the tokens.
///
/// It sends one request to the store for each request that carries a ticket, or none on a near-cache entry:
///
/// - the session lives: the request passes, with the [`Session`](token_cache_core::Session) in its extensions;
/// - there is no ticket: the request passes, without a session;
/// - the session has ended, or the ticket is invalid: 401, and the ticket is dropped (or a redirect:
///   [`redirect_to`](Self::redirect_to));
/// - it cannot be told, because the store failed or the ticket is under a key that this server lacks: 503, and the ticket is kept (G4).
///
/// Requests to the sign-out routes themselves pass, also if the routes are nested in a router with a path of its own, so the layer may
/// lie around them.
///
/// Every refusal is logged with its cause: `request_of_ended_session` at INFO, `ticket_refused` and `session_not_checked` at WARN.
///
/// Made by [`SignOutRoutes::session_check`].
#[derive(Debug, Clone)]
pub struct SessionCheck {
    checker: SessionChecker,
}

impl SessionCheck {
    /// Sends a browser whose session has ended to this page, the app's sign-in page, if it asks for a page. A script's request is still
    /// answered with 401.
    ///
    /// `path` is a path as the browser sees it. The page itself passes, without a session, for a browser whose session has ended or whose
    /// ticket this server cannot read: a ticket under a retired key does not lock the browser out. The ticket is dropped there.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not a path of the app.
    pub fn redirect_to(self, path: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            checker: self.checker.redirect_to(path)?,
        })
    }
}

impl SignOutRoutes {
    /// The tower layer that refuses a request whose session was signed out.
    pub fn session_check(&self) -> SessionCheck {
        SessionCheck {
            checker: SessionChecker::new(self.clone()),
        }
    }
}

impl<S> Layer<S> for SessionCheck {
    type Service = SessionCheckService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionCheckService {
            inner,
            checker: self.checker.clone(),
        }
    }
}

/// The service inside a [`SessionCheck`].
#[derive(Debug, Clone)]
pub struct SessionCheckService<S> {
    inner: S,
    checker: SessionChecker,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionCheckService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: From<Bytes>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let checker = self.checker.clone();
        // The one that was polled ready is the one to call.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let mut removal = None;
            parts.extensions.insert(SessionChecked);
            match checker.check(&parts).await {
                Decision::Rejected(rejection) => {
                    if paths::may_be_nested(parts.uri.path()) {
                        let response = inner.call(Request::from_parts(parts, body)).await?;
                        if response
                            .extensions()
                            .get::<SignOutRouteResponse>()
                            .is_some()
                        {
                            return Ok(response);
                        }
                    }
                    return Ok(rejection.into_response().map(ResBody::from));
                }
                Decision::Anonymous => {}
                Decision::RemoveTicket(header) => removal = header,
                Decision::SignedIn(session) => {
                    parts.extensions.insert(session);
                }
            }
            let mut response = inner.call(Request::from_parts(parts, body)).await?;
            // What the app itself says about the cookie, such as the ticket of a new sign-in, comes last and counts.
            if let Some(removal) = removal {
                let app_cookies: Vec<_> = response
                    .headers_mut()
                    .get_all(header::SET_COOKIE)
                    .iter()
                    .cloned()
                    .collect();
                let headers = response.headers_mut();
                headers.insert(header::SET_COOKIE, removal);
                for app_cookies in app_cookies {
                    headers.append(header::SET_COOKIE, app_cookies);
                }
            }
            Ok(response)
        })
    }
}
