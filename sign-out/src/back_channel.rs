use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use serde::Serialize;

use crate::{
    SignOutRoutes,
    answer::answer,
    failure::Failure,
    message::{self, Refusal},
    verify::Kind,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The error body of Back-Channel Logout 1.0 section 2.8.
#[derive(Serialize)]
struct Problem {
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
    /// The work is done in tasks of their own: a provider that hangs up stops none of it (G4), and a token whose keys are late is
    /// carried out when they come, if no more than 250 wait so: most providers send it once. A token that is delayed,
    /// repeated or replayed ends nothing of who has authenticated since (G2), so none is remembered. Nothing of a token is in
    /// an answer (G5).
    pub async fn back_channel<B: Body>(&self, request: Request<B>) -> Response<Bytes> {
        match self.take_logout_token(request).await {
            Ok(()) => answer(StatusCode::OK, Bytes::new()),
            Err(failure) => failure.answer(Problem {
                error: match failure {
                    Failure::Refused(_) => "invalid_request",
                    _ => "temporarily_unavailable",
                },
                error_description: failure.description(),
            }),
        }
    }

    async fn take_logout_token<B: Body>(&self, request: Request<B>) -> Result<(), Failure> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            return Err(Refusal::NotPost.into());
        }
        if !message::is_media_type(&parts.headers, FORM) {
            return Err(Refusal::MediaType(FORM).into());
        }
        let form = message::read(&parts.headers, body).await?;
        let token = message::logout_token_of(&form)?;
        self.take(&token, Kind::LogoutToken).await
    }
}
