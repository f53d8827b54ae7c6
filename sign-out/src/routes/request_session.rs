use http::request::Parts;
use token_cache_core::{Error, ErrorKind, Result, Session, Ticket};

use super::SignOutRoutes;

/// The session of a request, by its ticket.
pub(crate) enum RequestSession {
    /// The request has no ticket.
    None,
    /// The session has ended, or the ticket is invalid. The error states which.
    Ended(Error),
    /// The session of a valid ticket. Only [`live_session`](SignOutRoutes::live_session) checks that it has not ended.
    Live(Session),
}

impl SignOutRoutes {
    /// Returns the session of a request. Sends one request to the store.
    pub(crate) async fn live_session(&self, request: &Parts) -> Result<RequestSession> {
        let unchecked_session = match self.ticket(request).await {
            Ok(None) => return Ok(RequestSession::None),
            Ok(Some(ticket)) => self.cache().resume(&ticket).await,
            Err(error) => Err(error),
        };
        request_session(unchecked_session)
    }

    /// Returns the session of a request without asking the store, so the session may have ended.
    pub(crate) async fn unchecked_session(&self, request: &Parts) -> Result<RequestSession> {
        let unchecked_session = match self.ticket(request).await {
            Ok(None) => return Ok(RequestSession::None),
            Ok(Some(ticket)) => self.cache().resume_unverified(&ticket),
            Err(error) => Err(error),
        };
        request_session(unchecked_session)
    }

    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        self.ticket_source().ticket(request).await
    }
}

fn request_session(session: Result<Session>) -> Result<RequestSession> {
    match session {
        Ok(session) => Ok(RequestSession::Live(session)),
        Err(error) if is_ended(&error) => Ok(RequestSession::Ended(error)),
        Err(error) => Err(error),
    }
}

/// Returns `true` if the ticket belongs to no live session: the session has ended, or the ticket is invalid.
///
/// After any other error the session may be live (G4). Examples are a ticket under a key that this server lacks, and
/// every error of the store.
pub(crate) fn is_ended(error: &Error) -> bool {
    error.is_signed_out() || error.kind() == ErrorKind::InvalidTicket
}

/// Returns `true` if the error concerns only this browser's ticket or session, and retrying does not help.
///
/// Examples are a ticket under a key that this server lacks, several cookies with the same name, or an unreadable
/// record. The session may be live, so it must not be reported as signed out. The browser must not be locked out
/// either, so the user can sign in again.
pub(crate) fn is_unreadable_ticket(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::KeyMissing | ErrorKind::Corrupt)
}
