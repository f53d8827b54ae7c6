//! The ticket as one value in a session of actix-session.

use actix_session::{Session, SessionExt, SessionInsertError};
use actix_web::HttpRequest;
use token_cache::{Error, ErrorKind, Result, Ticket, sign_out::actix::TicketSource};

const TICKET: &str = "ticket";

pub(crate) struct InSession;

impl TicketSource for InSession {
    fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>> {
        request.get_session().get(TICKET).map_err(|error| {
            Error::new(ErrorKind::InvalidTicket, "read the ticket")
                .message(format!("the session's value is not a ticket: {error}"))
        })
    }

    fn remove(&self, request: &HttpRequest) {
        // `purge` would prevent storing new values in the session, such as the ticket of a sign-in in the same request.
        request.get_session().remove(TICKET);
    }
}

/// Stores a ticket in the session. The session gets a new id, so an attacker cannot know it (session fixation).
pub(crate) fn keep(session: &Session, ticket: &Ticket) -> Result<(), SessionInsertError> {
    session.renew();
    session.insert(TICKET, ticket)
}
