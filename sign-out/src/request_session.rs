use http::request::Parts;
use token_cache_core::{Error, ErrorKind, Result, Session, Ticket};

use crate::SignOutRoutes;

/// What the browser of a request holds.
pub(crate) enum RequestSession {
    /// No ticket.
    None,
    /// A ticket of a session that has ended, or a value that is not a ticket: the error says which.
    Ended(Error),
    /// A ticket, and the session that it names.
    Live(Session),
}

impl SignOutRoutes {
    /// What a request holds, of which the store was asked once.
    pub(crate) async fn live_session(&self, request: &Parts) -> Result<RequestSession> {
        let unchecked_session = match self.ticket(request).await {
            Ok(None) => return Ok(RequestSession::None),
            Ok(Some(ticket)) => self.cache().resume(&ticket).await,
            Err(error) => Err(error),
        };
        request_session(unchecked_session)
    }

    /// What a request holds, of which the store was not asked: the session may have ended.
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

/// True if no session can be behind the ticket: it has ended, or the ticket is invalid by its own bytes.
///
/// Any other error leaves open whether the session lives (G4): a ticket under a key that this server lacks, and every error of the
/// store, such as a record that a later release wrote.
pub(crate) fn is_ended(error: &Error) -> bool {
    error.is_signed_out() || error.kind() == ErrorKind::InvalidTicket
}

/// True if the error is about this browser's ticket or session alone, and trying again does not help: a ticket under a key that this
/// server lacks (a retired one, or one that it does not have yet), several cookies of one name, a record that cannot be read.
///
/// The session may live, so nothing may be called signed out. But the browser must not be locked out either: it can sign in anew.
pub(crate) fn is_unreadable_ticket(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::KeyMissing | ErrorKind::Corrupt)
}
