use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};

use crate::TicketSource;

/// The result of reading a ticket, in the extensions of a request. The app inserts it before the sign-out routes or the
/// session check run, and [`ExtensionTicketSource`] reads it there.
///
/// Use it for tickets that a [`TicketSource`] cannot read, such as those in sessions that cannot leave their thread.
/// With actix-web, `actix::ActixSignOut::ticket_source` inserts the extension and removes the ticket.
///
/// After the request, [`is_removed`](Self::is_removed) says whether to remove the ticket from the app's session.
#[derive(Debug, Clone)]
pub struct TicketExtension {
    ticket: Result<Option<Ticket>>,
    removed: Arc<AtomicBool>,
}

impl TicketExtension {
    /// Creates the extension with the result of reading the ticket: `Ok(None)` if the request has no ticket, and the
    /// errors of [`TicketSource::ticket`].
    pub fn new(ticket: Result<Option<Ticket>>) -> Self {
        Self {
            ticket,
            removed: Arc::default(),
        }
    }

    /// Returns `true` if the app must remove the ticket from its own session: the ticket's session has ended, or the
    /// ticket is invalid or cannot be read. Call it after the request. Clones share the answer, so keep a clone of the
    /// extension that was inserted.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }
}

/// A [`TicketSource`] that takes the ticket from the request's [`TicketExtension`]. A request without the extension is
/// an error of the app ([`Misuse`](token_cache_core::ErrorKind::Misuse)) and is answered with 503.
///
/// Pass it to [`SignOutRoutesBuilder::ticket_source`](crate::SignOutRoutesBuilder::ticket_source).
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ExtensionTicketSource;

impl ExtensionTicketSource {
    /// Creates the source. It has no settings.
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
