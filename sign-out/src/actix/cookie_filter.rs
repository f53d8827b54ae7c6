use std::future::{Ready, ready};

use actix_web::{
    Error, HttpMessage,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{COOKIE, HeaderValue},
};
use http::{HeaderMap, header};

use crate::tickets::filter_cookies;

/// A middleware for actix-web that removes cookies which other cookie libraries misread, before these libraries parse
/// the `Cookie` header.
///
/// It removes the same cookies as [`crate::CookieFilter`]. Without it, actix-web rejects a whole `Cookie` header that
/// is not UTF-8, so actix-session starts an empty session. Wrap this middleware last, so that it runs before all code
/// that reads cookies. Code that runs before it still sees every cookie:
///
/// ```
/// use actix_web::App;
/// use token_cache::sign_out::actix::CookieFilter;
///
/// let app = App::new() /* .wrap(sessions) */ .wrap(CookieFilter::new());
/// # drop(app);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CookieFilter;

impl CookieFilter {
    /// Creates the middleware, which has no settings. Pass it to `App::wrap`.
    pub const fn new() -> Self {
        Self
    }
}

impl<S, B> Transform<S, ServiceRequest> for CookieFilter
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = CookieFilterMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(CookieFilterMiddleware { service }))
    }
}

/// The service that [`CookieFilter`] creates around an app's service. An app does not create it itself.
#[derive(Debug)]
pub struct CookieFilterMiddleware<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for CookieFilterMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = S::Future;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let mut sent = HeaderMap::new();
        for value in request.headers().get_all(COOKIE) {
            // Both versions of `http` accept the same bytes in a header value.
            if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                sent.append(header::COOKIE, value);
            }
        }
        if let Some(filtered) = filter_cookies(&sent) {
            let headers = request.headers_mut();
            headers.remove(COOKIE);
            for kept in filtered.kept {
                if let Ok(kept) = HeaderValue::from_bytes(kept.as_bytes()) {
                    headers.append(COOKIE, kept);
                }
            }
            request.extensions_mut().insert(filtered.original);
        }
        self.service.call(request)
    }
}
