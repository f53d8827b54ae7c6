//! The routes, the middleware and the extractor for actix-web (4).
//!
//! ```
//! use actix_web::{App, HttpResponse, web};
//! use token_cache_sign_out::{SignOutRoutes, SignedIn, actix::ActixSignOut};
//!
//! async fn account(session: SignedIn) -> HttpResponse {
//!     HttpResponse::Ok().body(format!("signed in until {:?}", session.ends_at()))
//! }
//!
//! fn app(sign_out: &SignOutRoutes, config: &mut web::ServiceConfig) {
//!     let sign_out = ActixSignOut::new(sign_out.clone());
//!     config.configure(sign_out.routes()).service(
//!         web::resource("/account")
//!             .wrap(sign_out.refuse_signed_out())
//!             .to(account),
//!     );
//! }
//! ```

mod convert;
mod cookie_filter;
mod layer;
mod signed_in;
mod tickets;

use std::{fmt, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, web};
use http::{Request, request::Parts};

pub use self::{
    convert::parts,
    cookie_filter::{CookieFilter, CookieFilterMiddleware},
    layer::{RefuseSignedOut, RefuseSignedOutMiddleware},
    tickets::RequestTickets,
};
use crate::{
    SignOutRoutes, TicketSlot,
    admission::Gate,
    paths::{self, OfOurRoutes},
};

/// Sign-out over the web, for an app of actix-web. Cheap to clone.
#[derive(Clone)]
pub struct ActixSignOut {
    routes: SignOutRoutes,
    tickets: Option<Arc<dyn RequestTickets>>,
}

impl ActixSignOut {
    /// The routes, with the tickets where they were built to find them.
    pub fn new(routes: SignOutRoutes) -> Self {
        Self {
            routes,
            tickets: None,
        }
    }

    /// Finds the tickets in what only an actix request leads to, such as the session of `actix-session`. The routes are built with
    /// [`TicketSlots`](crate::TicketSlots), in which these travel.
    pub fn tickets(mut self, tickets: impl RequestTickets) -> Self {
        self.tickets = Some(Arc::new(tickets));
        self
    }

    /// All the routes, at [`paths`]: `App::new().configure(sign_out.routes())`, or the same of a scope.
    pub fn routes(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let sign_out = self.clone();
        move |config| {
            for (path, route) in [
                (paths::LOG_OUT, Route::LogOut),
                (paths::SIGNED_OUT, Route::SignedOut),
                (paths::BACK_CHANNEL, Route::BackChannel),
                (paths::FRONT_CHANNEL, Route::FrontChannel),
                (paths::SECURITY_EVENTS, Route::SecurityEvent),
            ] {
                let sign_out = sign_out.clone();
                let serve = move |request: HttpRequest, body: web::Payload| {
                    let sign_out = sign_out.clone();
                    async move { sign_out.serve(route, &request, body).await }
                };
                // For every method: the route itself answers the wrong ones.
                config.route(path, web::to(serve));
            }
        }
    }

    /// A middleware that lets no request pass whose session was signed out, on whichever server: the app's own cookie dies with the
    /// tokens.
    pub fn refuse_signed_out(&self) -> RefuseSignedOut {
        RefuseSignedOut::new(self.clone(), Gate::new(self.routes.clone()))
    }

    async fn serve(&self, route: Route, request: &HttpRequest, body: web::Payload) -> HttpResponse {
        let Some(Asked { parts, slot }) = self.asked(request) else {
            return HttpResponse::BadRequest().finish();
        };
        let answer = match route {
            Route::LogOut => self.routes.log_out(&parts).await,
            Route::SignedOut => self.routes.signed_out(&parts).await,
            Route::FrontChannel => self.routes.front_channel(&parts).await,
            Route::BackChannel => {
                let request = Request::from_parts(parts, convert::body(body));
                self.routes.back_channel(request).await
            }
            Route::SecurityEvent => {
                let request = Request::from_parts(parts, convert::body(body));
                self.routes.security_event(request).await
            }
        };
        self.settle(slot.as_ref(), request);
        let mut answer = convert::answer(answer);
        answer.extensions_mut().insert(OfOurRoutes);
        answer
    }

    /// A request as the routes take it; none where it is no HTTP request.
    fn asked(&self, request: &HttpRequest) -> Option<Asked> {
        let mut parts = convert::parts(request)?;
        let slot = self.tickets.as_ref().map(|tickets| {
            let slot = TicketSlot::new(tickets.ticket(request));
            parts.extensions.insert(slot.clone());
            slot
        });
        Some(Asked { parts, slot })
    }

    /// Drops the ticket where it is kept, if its session has ended.
    fn settle(&self, slot: Option<&TicketSlot>, request: &HttpRequest) {
        if let (Some(slot), Some(tickets)) = (slot, &self.tickets)
            && slot.is_forgotten()
        {
            tickets.forget(request);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Route {
    LogOut,
    SignedOut,
    BackChannel,
    FrontChannel,
    SecurityEvent,
}

struct Asked {
    parts: Parts,
    slot: Option<TicketSlot>,
}

impl fmt::Debug for ActixSignOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixSignOut")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

/// The how-to's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sign-out/actix-web.md")]
struct HowTo;
