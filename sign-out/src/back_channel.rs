use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use serde::Serialize;

use crate::{
    Cause, SignOutRoutes,
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
    /// The work is done in tasks of their own: a provider that hangs up stops none of it (G4). A token that is delayed,
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
        let token = message::logout_token_of(&form)?.into_owned();
        self.in_spite_of_hang_ups(self.clone().end_by(token)).await
    }

    async fn end_by(self, token: String) -> Result<(), Failure> {
        let verified = self.verified(&token, Kind::LogoutToken).await?;
        let ending = message::ended_by_logout_token(verified)?;
        self.carry_out(ending, Cause::BackChannel).await
    }

    /// Does the work here while it needs not wait, and otherwise in a task of its own.
    pub(crate) async fn in_spite_of_hang_ups(
        &self,
        work: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) -> Result<(), Failure> {
        let mut work = Box::pin(work);
        if let Some(done) = (&mut work).now_or_never() {
            return done;
        }
        // Its end can't be seen where it panicked or the runtime stops: what it did is not known.
        tokio::spawn(work).await.unwrap_or(Err(Failure::Late))
    }
}
