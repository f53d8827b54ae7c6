use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderMap, HeaderValue, SET_COOKIE},
};
use futures_core::future::LocalBoxFuture;

use super::{ActixSignOut, convert};
use crate::{
    ConfigError,
    admission::{Admission, Gate},
    paths::{self, OfOurRoutes},
    signed_in::Checked,
};

/// A middleware that lets no request pass whose session was signed out: as [`crate::RefuseSignedOut`], for actix-web.
///
/// Made by [`ActixSignOut::refuse_signed_out`]. A middleware that keeps sessions is wrapped around it, that is, after it.
#[derive(Debug, Clone)]
pub struct RefuseSignedOut {
    sign_out: ActixSignOut,
    gate: Gate,
}

impl RefuseSignedOut {
    pub(super) fn new(sign_out: ActixSignOut, gate: Gate) -> Self {
        Self { sign_out, gate }
    }

    /// Sends a browser whose session has ended to a page of the app, as [`crate::RefuseSignedOut::redirect_to`].
    ///
    /// # Errors
    /// [`ConfigError`] where it is no path of the app.
    pub fn redirect_to(self, path: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            gate: self.gate.redirect_to(path)?,
            ..self
        })
    }
}

impl<S, B> Transform<S, ServiceRequest> for RefuseSignedOut
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RefuseSignedOutMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RefuseSignedOutMiddleware {
            service: Rc::new(service),
            layer: self.clone(),
        }))
    }
}

/// The service inside a [`RefuseSignedOut`].
pub struct RefuseSignedOutMiddleware<S> {
    service: Rc<S>,
    layer: RefuseSignedOut,
}

impl<S, B> Service<ServiceRequest> for RefuseSignedOutMiddleware<S>
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
        let RefuseSignedOut { sign_out, gate } = self.layer.clone();
        Box::pin(async move {
            let Some(asked) = sign_out.asked(request.request()) else {
                let refused = HttpResponse::BadRequest().finish();
                return Ok(request.into_response(refused).map_into_right_body());
            };
            let admission = gate.admit(&asked.parts).await;
            sign_out.settle(asked.slot.as_ref(), request.request());
            request.extensions_mut().insert(Checked);
            let dropped = match admission {
                Admission::Refused(refused) => {
                    if !paths::may_be_nested(request.path()) {
                        let refused = convert::answer(refused.answer());
                        return Ok(request.into_response(refused).map_into_right_body());
                    }
                    let answer = service.call(request).await?;
                    if answer.response().extensions().contains::<OfOurRoutes>() {
                        return Ok(answer.map_into_left_body());
                    }
                    let refused = convert::answer(refused.answer());
                    return Ok(answer.into_response(refused).map_into_right_body());
                }
                Admission::Anonymous => None,
                Admission::Dropping(header) => header,
                Admission::SignedIn(session) => {
                    request.extensions_mut().insert(session);
                    None
                }
            };
            let mut answer = service.call(request).await?;
            if let Some(dropped) =
                dropped.and_then(|header| HeaderValue::from_bytes(header.as_bytes()).ok())
            {
                put_first(answer.headers_mut(), dropped);
            }
            Ok(answer.map_into_left_body())
        })
    }
}

/// What the app itself says about its cookie, such as the ticket of a new sign-in, comes last and counts.
fn put_first(headers: &mut HeaderMap, dropped: HeaderValue) {
    let own: Vec<_> = headers.remove(SET_COOKIE).collect();
    headers.append(SET_COOKIE, dropped);
    for own in own {
        headers.append(SET_COOKIE, own);
    }
}

impl<S> fmt::Debug for RefuseSignedOutMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefuseSignedOutMiddleware")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}
