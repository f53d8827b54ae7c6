use std::task::{Context, Poll};

use http::{Request, header};
use tower_layer::Layer;
use tower_service::Service;

use super::cookies::filter_cookies;

/// A tower layer that removes cookies which other cookie libraries misread, before these libraries parse the `Cookie`
/// header. Make it the outermost layer around all code that reads cookies.
///
/// Any other subdomain of the app's domain, and any script of the app, can set a cookie that contains a byte above
/// `0x7E`. axum-extra, tower-cookies (tower-sessions) and actix-web then drop the whole header or fail, so all other
/// cookies seem absent. They also percent-decode names. So they accept `%5F%5FHost-session` as `__Host-session`,
/// although browsers do not protect that name. This layer removes these cookies and no others:
///
/// - every cookie whose name or value contains a byte that is neither printable ASCII nor a tab, and
/// - every cookie whose name begins with `__Host-`, `__Secure-` or `__Http-` only after percent-decoding.
///
/// [`TicketCookie`](crate::TicketCookie), [`StateCookies`](crate::StateCookies) and [`read_cookie`](crate::read_cookie)
/// do not need it. They read the original headers even behind this layer, so an unreadable ticket is never treated as
/// absent (G4).
///
/// ```
/// # #[cfg(feature = "axum-0_8")] fn app(app: axum::Router) -> axum::Router {
/// use token_cache::sign_out::CookieFilter;
///
/// app.layer(CookieFilter::new())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CookieFilter;

impl CookieFilter {
    /// Creates the layer, which has no settings. Make it the app's outermost layer, such as with axum's
    /// `Router::layer`.
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for CookieFilter {
    type Service = CookieFilterService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CookieFilterService { inner }
    }
}

/// The tower service that [`CookieFilter`] creates around an app's service. An app does not create it itself.
#[derive(Debug, Clone)]
pub struct CookieFilterService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for CookieFilterService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(filtered) = filter_cookies(request.headers()) {
            let headers = request.headers_mut();
            headers.remove(header::COOKIE);
            for kept in filtered.kept {
                headers.append(header::COOKIE, kept);
            }
            request.extensions_mut().insert(filtered.original);
        }
        self.inner.call(request)
    }
}
