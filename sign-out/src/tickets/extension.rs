use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};

use super::source::TicketSource;

/// A request extension that contains the result of reading the request's ticket. The app inserts it into the extensions
/// of the request before the [sign-out routes](crate::SignOutRoutes) or the [session check](crate::SessionCheck) run.
/// [`ExtensionTicketSource`] reads it there.
///
/// Use it for tickets that a [`TicketSource`] cannot read, such as those in sessions of another library that cannot
/// leave their thread. With actix-web, an app need not insert it: `actix::ActixSignOut::ticket_source` inserts the
/// extension and removes the ticket.
///
/// After the request, [`is_removed`](Self::is_removed) says whether the app must remove the ticket from its own
/// session.
#[derive(Debug, Clone)]
pub struct TicketExtension {
    ticket: Result<Option<Ticket>>,
    removed: Arc<AtomicBool>,
}

impl TicketExtension {
    /// Creates the extension from the result of reading the ticket. Pass `Ok(None)` only if the request has no ticket.
    /// If the ticket cannot be read, pass the error that [`TicketSource::ticket`] describes for this case. With
    /// `Ok(None)` instead, the user would look signed out (G4).
    pub fn new(ticket: Result<Option<Ticket>>) -> Self {
        Self {
            ticket,
            removed: Arc::default(),
        }
    }

    /// Returns `true` if the app must remove the ticket from where it stores the ticket, such as a session of another
    /// library. The reason is that the ticket's session has ended, or that the ticket is invalid or cannot be read.
    /// Returns `false` if the app must keep the ticket.
    ///
    /// Call it after the request was handled. All clones of an extension return the same value, so insert one clone and
    /// keep another.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }
}

/// A [`TicketSource`] for an app that reads the tickets itself: it returns the ticket in the request's
/// [`TicketExtension`]. Pass it to [`SignOutRoutesBuilder::ticket_source`](crate::SignOutRoutesBuilder::ticket_source).
///
/// If a request has no extension, reading its ticket fails with [`Misuse`](token_cache_core::ErrorKind::Misuse), and
/// the response is 503.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ExtensionTicketSource;

impl ExtensionTicketSource {
    /// Creates the ticket source, which has no settings.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl TicketSource for ExtensionTicketSource {
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        match request.extensions.get::<TicketExtension>() {
            Some(extension) => extension.ticket.clone(),
            None => Err(Error::new(ErrorKind::Misuse, "read the ticket")
                .message("the request has no `TicketExtension`; insert one into its extensions before the sign-out routes run")),
        }
    }

    async fn remove(&self, request: &Parts) -> Option<HeaderValue> {
        if let Some(extension) = request.extensions.get::<TicketExtension>() {
            extension.removed.store(true, Ordering::Release);
        }
        None
    }
}
