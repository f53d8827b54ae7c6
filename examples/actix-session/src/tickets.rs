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
        // Not `purge`: a purged session takes nothing more, not even the ticket of a sign-in that this very request ends with.
        request.get_session().remove(TICKET);
    }
}

/// Keeps a ticket in a session of a new id, so that nobody knows the id from before the sign-in (session fixation).
pub(crate) fn keep(session: &Session, ticket: &Ticket) -> Result<(), SessionInsertError> {
    session.renew();
    session.insert(TICKET, ticket)
}
