use axum::{
    Json,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use token_cache::{
    Error, ErrorKind, Session,
    sign_out::{TicketSource, read_cookie},
};

use super::server::Server;
use crate::steps::Profile;

/// Whom a request's ticket says is signed in, as the store knows it now.
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) profile: Profile,
}

/// Why a request is not served.
pub(crate) enum Denied {
    /// It came without a ticket.
    Nobody,
    /// It came with what is no ticket, or one that no server can open any more.
    NoTicket,
    /// Its session has ended, on whichever server.
    SignedOut,
    /// The store or the provider fails or refuses. That is not a sign-out (G4).
    Failed(Error),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        if error.is_signed_out() {
            Self::SignedOut
        } else {
            Self::Failed(error)
        }
    }
}

impl SignedIn {
    /// One read of the store.
    pub(crate) async fn at(server: &Server, request: &Parts) -> Result<Self, Denied> {
        let ticket = server.tickets.ticket(request).await;
        let Some(ticket) = ticket.map_err(|error| unopened(server, error))? else {
            return Err(Denied::Nobody);
        };
        let session = server.cache().resume_unverified(&ticket);
        let session = session.map_err(|error| unopened(server, error))?;
        match Profile::get(&session).await? {
            Some(profile) => Ok(Self { session, profile }),
            None => Err(Denied::Nobody),
        }
    }
}

/// A key that is missing here may be on its way; but the servers of a process with a secret of its own have all the keys there are.
fn unopened(server: &Server, error: Error) -> Denied {
    match error.kind() {
        ErrorKind::InvalidTicket => Denied::NoTicket,
        ErrorKind::KeyMissing if server.shared.secret_is_own => Denied::NoTicket,
        _ => error.into(),
    }
}

impl Denied {
    /// The answer in JSON. The cookie of a session that has ended dies with it, and so does what opens nothing.
    pub(crate) async fn answer(self, server: &Server, request: &Parts) -> Response {
        let (status, json) = match &self {
            Self::Nobody | Self::NoTicket => (
                StatusCode::UNAUTHORIZED,
                json!({"error": "not_signed_in", "server": server.name}),
            ),
            Self::SignedOut => (
                StatusCode::UNAUTHORIZED,
                json!({"error": "signed_out", "server": server.name}),
            ),
            Self::Failed(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                json!({"error": error.kind().name(), "server": server.name, "message": error.to_string()}),
            ),
        };
        let mut response = (status, Json(json)).into_response();
        if matches!(self, Self::SignedOut | Self::NoTicket)
            && let Some(forget) = server.tickets.remove(request).await
        {
            response.headers_mut().append(header::SET_COOKIE, forget);
        }
        response
    }
}

/// Names the user of this browser's last sign-in, so that the page can show what the plain cache holds of theirs after a sign-out.
pub(crate) const WATCHED: &str = "token-cache-demo-watched";

pub(crate) fn watched(server: &Server, request: &Parts) -> Result<Option<String>, Error> {
    let value = read_cookie(request, &server.cookies.full(WATCHED))?;
    Ok(value.and_then(|value| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        String::from_utf8(bytes).ok()
    }))
}
