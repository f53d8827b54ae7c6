use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};

use crate::TicketSource;

/// A ticket that was read before the request came here, for sessions that [`TicketSource`] can't reach: those of actix-web live in a
/// request that can't leave its thread.
///
/// It travels in the request's extensions. Afterwards [`is_removed`](Self::is_removed) says whether to drop it where it is kept.
#[derive(Debug, Clone)]
pub struct TicketExtension {
    ticket: Result<Option<Ticket>>,
    removed: Arc<AtomicBool>,
}

impl TicketExtension {
    /// What was read: a ticket, that there is none, or why that can't be told.
    pub fn new(ticket: Result<Option<Ticket>>) -> Self {
        Self {
            ticket,
            removed: Arc::default(),
        }
    }

    /// True once the ticket's session has ended.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }
}

/// Takes the ticket of each request from its [`TicketExtension`]: for
/// [`SignOutRoutesBuilder::ticket_source`](crate::SignOutRoutesBuilder::ticket_source).
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ExtensionTicketSource;

impl ExtensionTicketSource {
    /// Tickets from extensions.
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
                .message("nobody put a `TicketExtension` into the request's extensions")),
        }
    }

    async fn remove(&self, request: &Parts) -> Option<HeaderValue> {
        if let Some(extension) = request.extensions.get::<TicketExtension>() {
            extension.removed.store(true, Ordering::Release);
        }
        None
    }
}
