//! The ticket as one value in a session of tower-sessions.

use async_trait::async_trait;
use axum::http::{HeaderValue, request::Parts};
use token_cache::{Error, ErrorKind, Result, Ticket, sign_out::TicketSource};
use tower_sessions::{Session, session};

const TICKET: &str = "ticket";

pub(crate) struct InSession;

#[async_trait]
impl TicketSource for InSession {
    async fn ticket(&self, request: &Parts) -> Result<Option<Ticket>> {
        of(request)?
            .get(TICKET)
            .await
            .map_err(|error| unreadable(&error))
    }

    async fn remove(&self, request: &Parts) -> Option<HeaderValue> {
        // If this fails, the ticket stays and is rejected again at the next request.
        if let Ok(session) = of(request) {
            let _ = session.remove::<Ticket>(TICKET).await;
        }
        None
    }
}

/// Stores a ticket in the session. The session gets a new id, so an attacker cannot know it (session fixation).
pub(crate) async fn keep(session: &Session, ticket: &Ticket) -> Result<(), session::Error> {
    session.cycle_id().await?;
    session.insert(TICKET, ticket).await
}

fn of(request: &Parts) -> Result<&Session> {
    request.extensions.get::<Session>().ok_or_else(|| {
        Error::misuse(
            "read the ticket",
            "the session layer must be added after the other layers, so that it is around them",
        )
    })
}

/// Returns the error of a session store that cannot be read. It is not the same as a user who is not signed in.
fn unreadable(error: &session::Error) -> Error {
    let kind = match error {
        session::Error::SerdeJson(_) => ErrorKind::InvalidTicket,
        session::Error::Store(_) => ErrorKind::Unavailable,
    };
    Error::new(kind, "read the ticket").message(format!("the session has no ticket: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::Arc;

    use axum::http::Request;
    use tower_sessions::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn a_value_that_is_not_a_ticket_differs_from_a_session_that_cannot_be_read() {
        let session = Session::new(None, Arc::new(MemoryStore::default()), None);
        session.insert(TICKET, 7).await.unwrap();
        let (mut request, ()) = Request::new(()).into_parts();
        request.extensions.insert(session);
        let error = InSession.ticket(&request).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidTicket, "{error}");
    }
}
