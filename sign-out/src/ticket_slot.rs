use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use http::{HeaderValue, request::Parts};
use token_cache_core::{Error, ErrorKind, Result, Ticket};

use crate::Tickets;

/// A ticket that was read before the request came here, for sessions that [`Tickets`] can't reach: those of actix-web live in a
/// request that can't leave its thread.
///
/// It travels in the request's extensions. Afterwards [`is_forgotten`](Self::is_forgotten) says whether to drop it where it is kept.
#[derive(Debug, Clone)]
pub struct TicketSlot {
    ticket: Result<Option<Ticket>>,
    forgotten: Arc<AtomicBool>,
}

impl TicketSlot {
    /// What was read: a ticket, that there is none, or why that can't be told.
    pub fn new(ticket: Result<Option<Ticket>>) -> Self {
        Self {
            ticket,
            forgotten: Arc::default(),
        }
    }

    /// True once the ticket's session has ended.
    pub fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Acquire)
    }
}

/// Takes the ticket of each request from its [`TicketSlot`]: for
/// [`SignOutRoutesBuilder::tickets`](crate::SignOutRoutesBuilder::tickets).
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TicketSlots;

impl TicketSlots {
    /// Tickets from slots.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Tickets for TicketSlots {
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        match request.extensions.get::<TicketSlot>() {
            Some(slot) => slot.ticket.clone(),
            None => Err(Error::new(ErrorKind::Misuse, "read the ticket")
                .message("nobody put a `TicketSlot` into the request's extensions")),
        }
    }

    async fn forget(&self, request: &Parts) -> Option<HeaderValue> {
        if let Some(slot) = request.extensions.get::<TicketSlot>() {
            slot.forgotten.store(true, Ordering::Release);
        }
        None
    }
}
