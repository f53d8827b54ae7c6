use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};

use crate::TicketSource;

/// A ticket in the extensions of a request. It is for tickets that a [`TicketSource`] cannot read, such as those of
/// actix-web, whose requests cannot leave their thread.
///
/// After the request, [`is_removed`](Self::is_removed) says whether to remove the ticket from where the app keeps it.
#[derive(Debug, Clone)]
pub struct TicketExtension {
    ticket: Result<Option<Ticket>>,
    removed: Arc<AtomicBool>,
}

impl TicketExtension {
    /// Returns the extension with the result of reading the ticket.
    pub fn new(ticket: Result<Option<Ticket>>) -> Self {
        Self {
            ticket,
            removed: Arc::default(),
        }
    }

    /// Returns `true` if the ticket's session has ended.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }
}

/// A [`TicketSource`] that takes the ticket from the request's [`TicketExtension`].
///
/// Pass it to [`SignOutRoutesBuilder::ticket_source`](crate::SignOutRoutesBuilder::ticket_source).
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ExtensionTicketSource;

impl ExtensionTicketSource {
    /// Returns the source.
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
