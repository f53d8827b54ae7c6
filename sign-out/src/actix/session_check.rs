use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::EitherBody,
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        StatusCode,
        header::{HeaderMap, HeaderValue, SET_COOKIE},
    },
};
use futures_core::future::LocalBoxFuture;
use token_cache_core::Session;

use super::{ActixSignOut, convert};
use crate::{
    config::ConfigError,
    paths::{self, SignOutRouteResponse},
    session_check::{Decision, SessionChecked, SessionChecker, SignedIn, SignedInRejection},
};

/// A middleware for actix-web that rejects every request whose session has been signed out, on any app server. Created
/// by [`ActixSignOut::session_check`]. It decides as [`crate::SessionCheck`] does. Handlers take the live session as
/// [`SignedIn`](crate::SignedIn).
///
/// If the ticket is in the sessions of another middleware, such as actix-session, register that middleware with `wrap`
/// after this one: actix-web runs the last one first. In the other order, this middleware runs before that session is
/// loaded, and finds no ticket.
#[derive(Debug, Clone)]
pub struct SessionCheck {
    sign_out: ActixSignOut,
    checker: SessionChecker,
}

impl SessionCheck {
    pub(super) fn new(sign_out: ActixSignOut, checker: SessionChecker) -> Self {
        Self { sign_out, checker }
    }

    /// Redirects page requests whose session has ended to `path`, the app's sign-in page, with 303. By default the
    /// response to these requests is 401. [`crate::SessionCheck::redirect_to`] describes page requests, and how the
    /// sign-in page is served.
    ///
    /// # Errors
    /// [`ConfigError`] if `path` is not a path of the app: it must start with one `/` and be ASCII without backslashes
    /// and control characters.
    pub fn redirect_to(self, path: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            checker: self.checker.redirect_to(path)?,
            ..self
        })
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionCheck
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionCheckMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(SessionCheckMiddleware {
            service: Rc::new(service),
            layer: self.clone(),
        }))
    }
}

/// The service that [`SessionCheck`] creates around an app's service. An app does not create it itself.
pub struct SessionCheckMiddleware<S> {
    service: Rc<S>,
    layer: SessionCheck,
}

impl<S, B> Service<ServiceRequest> for SessionCheckMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let service = Rc::clone(&self.service);
        let SessionCheck { sign_out, checker } = self.layer.clone();
        Box::pin(async move {
            let Some(converted) = sign_out.convert_request(request.request()) else {
                let rejection = HttpResponse::BadRequest().finish();
                return Ok(request.into_response(rejection).map_into_right_body());
            };
            let decision = checker.check(&converted.parts).await;
            sign_out.remove_ended_ticket(converted.slot.as_ref(), request.request());
            request.extensions_mut().insert(SessionChecked);
            let removal = match decision {
                Decision::Rejected(rejection) => {
                    if !paths::may_be_nested(request.path()) {
                        let rejection = convert::to_actix_response(rejection.into_response());
                        return Ok(request.into_response(rejection).map_into_right_body());
                    }
                    let response = service.call(request).await?;
                    if response
                        .response()
                        .extensions()
                        .contains::<SignOutRouteResponse>()
                    {
                        return Ok(response.map_into_left_body());
                    }
                    let rejection = convert::to_actix_response(rejection.into_response());
                    return Ok(response.into_response(rejection).map_into_right_body());
                }
                Decision::Anonymous => None,
                Decision::RemoveTicket(header) => header,
                Decision::SignedIn(session) => {
                    request.extensions_mut().insert(session);
                    None
                }
            };
            let mut response = service.call(request).await?;
            if let Some(removal) =
                removal.and_then(|header| HeaderValue::from_bytes(header.as_bytes()).ok())
            {
                prepend_cookie(response.headers_mut(), removal);
            }
            Ok(response.map_into_left_body())
        })
    }
}

/// Puts the header before the app's own `Set-Cookie` headers. The browser keeps the last one, such as the ticket of a
/// new sign-in.
fn prepend_cookie(headers: &mut HeaderMap, removal: HeaderValue) {
    let app_cookies: Vec<_> = headers.remove(SET_COOKIE).collect();
    headers.append(SET_COOKIE, removal);
    for app_cookie in app_cookies {
        headers.append(SET_COOKIE, app_cookie);
    }
}

impl<S> fmt::Debug for SessionCheckMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCheckMiddleware")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

impl FromRequest for SignedIn {
    type Error = SignedInRejection;
    type Future = Ready<Result<Self, SignedInRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        ready(Self::from_session(
            extensions.get::<Session>(),
            extensions.contains::<SessionChecked>(),
        ))
    }
}

impl ResponseError for SignedInRejection {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .insert_header(("cache-control", "no-store"))
            .body(self.to_string())
    }
}
