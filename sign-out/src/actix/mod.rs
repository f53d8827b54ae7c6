//! Sign-out routes, a middleware and an extractor for actix-web (4). Start with [`ActixSignOut`].
//!
//! ```
//! use actix_web::{App, HttpResponse, web};
//! use token_cache::sign_out::{SignOutRoutes, SignedIn, actix::ActixSignOut};
//!
//! async fn account(session: SignedIn) -> HttpResponse {
//!     HttpResponse::Ok().body(format!("signed in until {:?}", session.ends_at()))
//! }
//!
//! fn app(sign_out: &SignOutRoutes, config: &mut web::ServiceConfig) {
//!     let sign_out = ActixSignOut::new(sign_out.clone());
//!     config.configure(sign_out.routes()).service(
//!         web::resource("/account")
//!             .wrap(sign_out.session_check())
//!             .to(account),
//!     );
//! }
//! ```

mod convert;
mod cookie_filter;
mod session_check;
mod ticket_source;

use std::{fmt, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, web};
use http::{Request, request::Parts};

pub use self::{
    convert::parts,
    cookie_filter::{CookieFilter, CookieFilterMiddleware},
    session_check::{SessionCheck, SessionCheckMiddleware},
    ticket_source::TicketSource,
};
use crate::{
    paths::{self, SignOutRouteResponse},
    routes::SignOutRoutes,
    session_check::SessionChecker,
    tickets::TicketExtension,
};

/// The [sign-out routes](SignOutRoutes) and the [session check](crate::SessionCheck) for an actix-web app. Create one
/// from [`SignOutRoutes`] when the app starts. Pass [`routes`](Self::routes) to `App::configure`, and
/// [`session_check`](Self::session_check) to `App::wrap`. A clone shares the same routes, so each worker can have one.
#[derive(Clone)]
pub struct ActixSignOut {
    routes: SignOutRoutes,
    tickets: Option<Arc<dyn TicketSource>>,
}

impl ActixSignOut {
    /// Creates the actix-web form of `routes`. The tickets of requests come from the [ticket
    /// source](crate::SignOutRoutesBuilder::ticket_source) that `routes` was built with. If only an actix-web request
    /// can reach the tickets, also call [`ticket_source`](Self::ticket_source).
    pub fn new(routes: SignOutRoutes) -> Self {
        Self {
            routes,
            tickets: None,
        }
    }

    /// Sets where the sign-out routes and the session check find the ticket of a request, for tickets that only an
    /// actix-web request can reach, such as those in `actix-session`. By default the tickets come from the [ticket
    /// source](crate::SignOutRoutesBuilder::ticket_source) that the [`SignOutRoutes`] were built with.
    ///
    /// `tickets` reads and removes the tickets. Build the `SignOutRoutes` with
    /// [`ExtensionTicketSource`](crate::ExtensionTicketSource), which receives the tickets that `tickets` reads. If
    /// they have any other ticket source, the tickets that `tickets` reads are not used.
    pub fn ticket_source(mut self, tickets: impl TicketSource) -> Self {
        self.tickets = Some(Arc::new(tickets));
        self
    }

    /// Returns a configuration function that mounts the five sign-out routes at the [`paths`] of this crate, in an app
    /// or a scope: `App::new().configure(sign_out.routes())`. They are the app's own sign-out, the return from the
    /// provider, back-channel logout, front-channel logout and security events.
    ///
    /// Each route accepts every method, and answers 405 to the unsupported ones. A `HEAD` request never signs the user
    /// out. A request that is invalid for the crate `http` is answered with 400.
    pub fn routes(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let sign_out = self.clone();
        move |config| {
            for (path, route) in [
                (paths::LOGOUT, Route::Logout),
                (paths::POST_LOGOUT_REDIRECT, Route::PostLogoutRedirect),
                (paths::BACK_CHANNEL_LOGOUT, Route::BackChannelLogout),
                (paths::FRONT_CHANNEL_LOGOUT, Route::FrontChannelLogout),
                (paths::SECURITY_EVENTS, Route::SecurityEvent),
            ] {
                let sign_out = sign_out.clone();
                let serve = move |request: HttpRequest, body: web::Payload| {
                    let sign_out = sign_out.clone();
                    async move { sign_out.serve(route, &request, body).await }
                };
                // The handlers reject unsupported methods themselves, so each route accepts every method.
                config.route(path, web::to(serve));
            }
        }
    }

    /// Creates a middleware that rejects every request whose session has been signed out, on any app server (G1). The
    /// response is 401, or 503 if the session cannot be checked. [`crate::SessionCheck`] lists all cases.
    pub fn session_check(&self) -> SessionCheck {
        SessionCheck::new(self.clone(), SessionChecker::new(self.routes.clone()))
    }

    async fn serve(&self, route: Route, request: &HttpRequest, body: web::Payload) -> HttpResponse {
        let Some(ConvertedRequest { parts, slot }) = self.convert_request(request) else {
            return HttpResponse::BadRequest().finish();
        };
        let response = match route {
            Route::Logout => self.routes.logout(&parts).await,
            Route::PostLogoutRedirect => self.routes.post_logout_redirect(&parts).await,
            Route::FrontChannelLogout => self.routes.front_channel_logout(&parts).await,
            Route::BackChannelLogout => {
                let request = Request::from_parts(parts, convert::body(body));
                self.routes.back_channel_logout(request).await
            }
            Route::SecurityEvent => {
                let request = Request::from_parts(parts, convert::body(body));
                self.routes.security_event(request).await
            }
        };
        self.remove_ended_ticket(slot.as_ref(), request);
        let mut response = convert::to_actix_response(response);
        response.extensions_mut().insert(SignOutRouteResponse);
        response
    }

    /// Converts a request, with its ticket in a [`TicketExtension`]. Returns `None` if a part of it is invalid HTTP.
    fn convert_request(&self, request: &HttpRequest) -> Option<ConvertedRequest> {
        let mut parts = convert::parts(request)?;
        let slot = self.tickets.as_ref().map(|tickets| {
            let slot = TicketExtension::new(tickets.ticket(request));
            parts.extensions.insert(slot.clone());
            slot
        });
        Some(ConvertedRequest { parts, slot })
    }

    /// Removes the ticket from the app's ticket source if its session has ended.
    fn remove_ended_ticket(&self, slot: Option<&TicketExtension>, request: &HttpRequest) {
        if let (Some(slot), Some(tickets)) = (slot, &self.tickets)
            && slot.is_removed()
        {
            tickets.remove(request);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Route {
    Logout,
    PostLogoutRedirect,
    BackChannelLogout,
    FrontChannelLogout,
    SecurityEvent,
}

struct ConvertedRequest {
    parts: Parts,
    slot: Option<TicketExtension>,
}

impl fmt::Debug for ActixSignOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixSignOut")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

/// Compiles the code of the how-to.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sign-out/actix-web.md")]
struct HowTo;
