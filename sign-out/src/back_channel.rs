use std::borrow::Cow;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use serde::Serialize;

use crate::{
    SignOutCause, SignOutRoutes,
    message::{self, ValidationError},
    message_error::MessageError,
    report,
    response::no_store_response,
    verify::TokenKind,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The error body of Back-Channel Logout 1.0 section 2.8.
#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: String,
}

impl SignOutRoutes {
    /// Takes a provider's logout token (OpenID Connect Back-Channel Logout 1.0): verifies it, ends the sessions it names on
    /// every server, and answers when that is so.
    ///
    /// The answer is
    /// - 200 where the sessions have ended, now or before (G1);
    /// - 400 with `{"error":"invalid_request","error_description":…}` for a token that is not acted upon, 405 for another method
    ///   than POST, 408 for a body that takes over two seconds, 413 for one over 64 KiB, 415 for another body than a form;
    /// - 503 with `Retry-After` where the token can't be verified now, or the sessions may not have ended: the provider is to
    ///   send it again. That joins what is under way.
    ///
    /// The work is done in tasks of their own: a provider that hangs up stops none of it (G4). Most providers send a token once, so
    /// a token that is answered 503 because its key is not known yet is verified when the keys have been fetched again, for up to
    /// two minutes. The tokens that wait so take 32 MiB at the most, shared equally among the issuers; one that finds no room is
    /// answered 503 and forgotten. A token that is delayed, repeated or replayed ends no session that was authenticated since
    /// (G2), so none is remembered. Nothing of a token is in an answer (G5). A token that is refused or must wait leaves one log
    /// line at WARN with the reason.
    pub async fn back_channel_logout<B: Body>(&self, request: Request<B>) -> Response<Bytes> {
        match self.process_logout_token(request).await {
            Ok(()) => no_store_response(StatusCode::OK, Bytes::new()),
            Err(failure) => failure.to_response(ErrorBody {
                error: match failure {
                    MessageError::Invalid(_) => "invalid_request",
                    _ => "temporarily_unavailable",
                },
                error_description: failure.description(),
            }),
        }
    }

    async fn process_logout_token<B: Body>(&self, request: Request<B>) -> Result<(), MessageError> {
        let token = read_logout_token(request).await.inspect_err(|refusal| {
            report::refused(SignOutCause::BackChannel, None, refusal);
        })?;
        self.process_message(&token, TokenKind::LogoutToken).await
    }
}

async fn read_logout_token<B: Body>(request: Request<B>) -> Result<String, ValidationError> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(ValidationError::MethodNotAllowed);
    }
    if !message::is_media_type(&parts.headers, FORM) {
        return Err(ValidationError::UnsupportedMediaType(FORM));
    }
    let form = message::read(&parts.headers, body).await?;
    message::logout_token(&form).map(Cow::into_owned)
}
