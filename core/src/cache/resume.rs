use super::{Session, TokenCache};
use crate::{Result, Ticket};

impl TokenCache {
    /// Returns the session of a ticket, after a check that it lives. Sends one request, or none on a near-cache hit.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended, on whichever server that happened (G1);
    /// [`InvalidTicket`](crate::ErrorKind::InvalidTicket) if the ticket was changed or truncated: drop it.
    /// [`KeyMissing`](crate::ErrorKind::KeyMissing) if this server lacks the ticket's key, and every error of the store,
    /// including [`Corrupt`](crate::ErrorKind::Corrupt): the session may still live, so keep the ticket.
    pub async fn resume(&self, ticket: &Ticket) -> Result<Session> {
        let session = self.resume_unverified(ticket)?;
        session.check().await?;
        Ok(session)
    }

    /// Returns the session of a ticket without a request to the store. The session may have been signed out: the first read or write
    /// checks that. Use it if such a call follows at once, since it saves a request.
    ///
    /// # Errors
    /// As [`resume`](Self::resume), without the errors of the store.
    pub fn resume_unverified(&self, ticket: &Ticket) -> Result<Session> {
        Session::new(self.clone(), ticket.open(&self.0.ring)?)
    }
}
