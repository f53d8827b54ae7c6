use http::request::Parts;
use token_cache_core::{Error, ErrorKind, Result, Session, Ticket};

use crate::SignOutRoutes;

/// What the browser of a request holds.
pub(crate) enum Held {
    /// No ticket.
    Nothing,
    /// A ticket of a session that has ended, or what never was one.
    Dead,
    /// A ticket, and the session that it names.
    Session(Session),
}

impl SignOutRoutes {
    /// What a request holds, of which the store was asked once.
    pub(crate) async fn held_and_living(&self, request: &Parts) -> Result<Held> {
        match self.ticket(request).await? {
            Read::Nothing => Ok(Held::Nothing),
            Read::NoTicket => Ok(Held::Dead),
            Read::Ticket(ticket) => held(self.cache().resume(&ticket).await),
        }
    }

    /// What a request holds, of which the store was not asked: the session may have ended.
    pub(crate) async fn held(&self, request: &Parts) -> Result<Held> {
        match self.ticket(request).await? {
            Read::Nothing => Ok(Held::Nothing),
            Read::NoTicket => Ok(Held::Dead),
            Read::Ticket(ticket) => held(self.cache().resume_unverified(&ticket)),
        }
    }

    async fn ticket(&self, request: &Parts) -> Result<Read> {
        match self.tickets().ticket(request).await {
            Ok(None) => Ok(Read::Nothing),
            Ok(Some(ticket)) => Ok(Read::Ticket(ticket)),
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(Read::NoTicket),
            Err(error) => Err(error),
        }
    }
}

enum Read {
    Nothing,
    NoTicket,
    Ticket(Ticket),
}

fn held(resumed: Result<Session>) -> Result<Held> {
    match resumed {
        Ok(session) => Ok(Held::Session(session)),
        Err(error) if opens_nothing(&error) => Ok(Held::Dead),
        Err(error) => Err(error),
    }
}

/// A ticket under a key that this server lacks is none of these: the session may live (G4).
pub(crate) fn opens_nothing(error: &Error) -> bool {
    error.is_signed_out() || error.kind() == ErrorKind::Corrupt
}
