use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use serde::Serialize;

use super::{SignOutRoutes, provider_message::MessageError};
use crate::{
    http::{no_store_response, read_post},
    jwt::{TokenKind, ValidationError},
};

const SECURITY_EVENT: &str = "application/secevent+jwt";

/// The error body of RFC 8935 section 2.3.
#[derive(Serialize)]
struct ErrorBody {
    err: &'static str,
    description: String,
}

impl SignOutRoutes {
    /// Handles a Security Event Token (RFC 8417) that a provider pushes (RFC 8935). Serve it at
    /// [`SECURITY_EVENTS`](crate::paths::SECURITY_EVENTS). A provider that sends such tokens is called a *transmitter*.
    ///
    /// It verifies the token, and ends sessions for the event `session-revoked` of OpenID CAEP 1.0, and the events
    /// `account-disabled`, `account-purged` and `sessions-revoked` of OpenID RISC 1.0. A token without such an event
    /// ends no session.
    ///
    /// The subject of the token has one of these formats (RFC 9493, Shared Signals Framework 1.0): `iss_sub`, `opaque`,
    /// `complex` with a user, a session or both, or `aliases` of `iss_sub` and `opaque`. An `opaque` subject is the
    /// provider's `sid` for `session-revoked`, and its `sub` for the other events. In a `complex` subject, an `opaque`
    /// user is a `sub`, and an `opaque` session is a `sid`. The RISC events need a user in the subject. A token of one
    /// of these events with any other subject is rejected with 400.
    ///
    /// A session that was authenticated after the token's `iat` does not end (G2), unless it has the `sid` that the
    /// token names.
    ///
    /// The response is
    /// - 202 if the sessions have ended, now or earlier (G1). Also if the token names no session of this app, or has
    ///   another event.
    /// - 400 with `{"err":…,"description":…}` if the token is invalid.
    /// - 405 if the method is not POST, and 415 if the media type is not `application/secevent+jwt`.
    /// - 408 if the body takes more than two seconds, and 413 if it exceeds 64 KiB.
    /// - 503 with `Retry-After` if the token cannot be verified now, or if the sessions may not have ended.
    ///
    /// The signature authenticates the transmitter. Repeated tokens, tokens whose key cannot be fetched, and logging
    /// are handled as in [`back_channel_logout`](Self::back_channel_logout).
    pub async fn security_event<B: Body>(&self, request: Request<B>) -> Response<Bytes> {
        let token = read_security_event(request);
        match self.process_message(token, TokenKind::SecurityEvent).await {
            Ok(()) => no_store_response(StatusCode::ACCEPTED, Bytes::new()),
            Err(failure) => {
                let mut response = failure.to_response(ErrorBody {
                    err: code(&failure),
                    description: failure.description(),
                });
                response
                    .headers_mut()
                    .insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
                response
            }
        }
    }
}

async fn read_security_event<B: Body>(request: Request<B>) -> Result<String, MessageError> {
    let body = read_post(request, SECURITY_EVENT).await?;
    String::from_utf8(body.into()).map_err(|_| ValidationError::NotCompact.into())
}

/// Returns the error code of RFC 8935 section 2.4.
fn code(failure: &MessageError) -> &'static str {
    match failure {
        MessageError::Request(_) => "invalid_request",
        MessageError::Invalid(refusal) => match refusal {
            ValidationError::UnknownIssuer(..) => "invalid_issuer",
            ValidationError::InvalidAudience(..) => "invalid_audience",
            ValidationError::ForeignSubjectIssuer => "access_denied",
            ValidationError::Unsigned
            | ValidationError::AlgorithmNotAccepted(..)
            | ValidationError::UnknownKey(_)
            | ValidationError::InvalidSignature => "invalid_key",
            _ => "invalid_request",
        },
        MessageError::KeysUnavailable(_)
        | MessageError::SignOutFailed(_)
        | MessageError::Pending => "temporarily_unavailable",
    }
}
