use axum::{
    Json,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;
use token_cache::{Error, Session, sign_out::Tickets};

use super::{profile::Profile, server::Server};

/// Whom a request's ticket says is signed in, as the store knows it now.
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) profile: Profile,
}

/// Why a request is not served.
pub(crate) enum Denied {
    /// It came without a ticket.
    Nobody,
    /// Its session has ended, on whichever server.
    SignedOut,
    /// The store or the provider can't be asked, or refuses: nobody is called signed out for it (G4).
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
        let Some(ticket) = server.tickets.ticket(request).await? else {
            return Err(Denied::Nobody);
        };
        let session = server.cache.resume_unverified(&ticket)?;
        match Profile::get(&session).await? {
            Some(profile) => Ok(Self { session, profile }),
            None => Err(Denied::Nobody),
        }
    }
}

impl Denied {
    /// The answer in JSON. The cookie of a session that has ended dies with it.
    pub(crate) async fn answer(self, server: &Server, request: &Parts) -> Response {
        let (status, json) = match &self {
            Self::Nobody => (
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
        if matches!(self, Self::SignedOut)
            && let Some(forget) = server.tickets.forget(request).await
        {
            response.headers_mut().append(header::SET_COOKIE, forget);
        }
        response
    }
}
