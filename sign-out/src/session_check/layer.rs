use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response, header};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    checker::{Decision, SessionChecker},
    signed_in::SessionChecked,
};
use crate::{
    config::ConfigError,
    paths::{self, SignOutRouteResponse},
    routes::SignOutRoutes,
};

/// A tower layer that rejects every request whose session has been signed out, on any app server. Created by
/// [`SignOutRoutes::session_check`]. With it, a browser that still has the ticket of an ended session is signed out in
/// this app too (G1).
///
/// It reads the ticket of each request, and checks the session that the ticket names. This takes one request to the
/// store, or none if the [near cache](token_cache_core::near_cache) of this app server has the session:
///
/// - If the session is live, the request passes with the [`Session`](token_cache_core::Session) in its extensions. A
///   handler takes it as [`SignedIn`](crate::SignedIn).
/// - If there is no ticket, the request passes without a session.
/// - If the session has ended or the ticket is invalid, the response is 401, or a [redirect](Self::redirect_to), and
///   removes the ticket.
/// - If the store failed, or this app server does not have the key that decrypts the ticket, the response is 503 and
///   the ticket is not removed. An error is never taken for a sign-out (G4).
///
/// Requests to the sign-out routes pass, also in a nested router, so the layer may wrap the routes. A rejected request
/// to any other path that ends like a sign-out route, such as `/docs/logout`, is an exception. The layer cannot tell it
/// from a nested sign-out route. So its handler runs, without a session, and the rejection replaces its response.
/// Choose other paths for handlers that change something.
///
/// Every rejection is logged with its reason: `request_of_ended_session` at INFO, `ticket_refused` and
/// `session_not_checked` at WARN.
#[derive(Debug, Clone)]
pub struct SessionCheck {
    checker: SessionChecker,
}

impl SessionCheck {
    /// Redirects page requests whose session has ended to `path`, the app's sign-in page, with 303. A page request is a
    /// GET or HEAD request for a page that the browser opens. By default the response to these requests is 401, as it
    /// always is for other requests, such as those of scripts.
    ///
    /// `path` is the path that the browser sees, with the prefix of a nested router. A page request whose ticket cannot
    /// be read by this app server is answered with a 503 page that links to `path`.
    ///
    /// The sign-in page itself is served without a session if the session has ended or this app server cannot read the
    /// ticket. A page request for it also removes the ticket, so a retired key does not lock the browser out.
    ///
    /// # Errors
    /// [`ConfigError`] if `path` is not a path of the app: it must start with one `/` and be ASCII without backslashes
    /// and control characters.
    pub fn redirect_to(self, path: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            checker: self.checker.redirect_to(path)?,
        })
    }
}

impl SignOutRoutes {
    /// Creates a tower layer that rejects every request whose session has been signed out. Add it to the app's router:
    /// `app.layer(sign_out.session_check())`. Without the layer, a request with the ticket of an ended session reaches
    /// its handler. [`SessionCheck`] lists the responses.
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

/// The tower service that [`SessionCheck`] creates around an app's service. An app does not create it itself.
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
        // The service that was polled ready must be the one that is called.
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
            // The browser keeps the last `Set-Cookie`, so the app's own headers, such as the ticket of a new sign-in,
            // come last.
            if let Some(removal) = removal {
                let app_cookies: Vec<_> = response
                    .headers_mut()
                    .get_all(header::SET_COOKIE)
                    .iter()
                    .cloned()
                    .collect();
                let headers = response.headers_mut();
                headers.insert(header::SET_COOKIE, removal);
                for app_cookie in app_cookies {
                    headers.append(header::SET_COOKIE, app_cookie);
                }
            }
            Ok(response)
        })
    }
}
