use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use serde::Serialize;
use token_cache_core::{AccountId, ProviderSession};

use crate::{
    Cause, EndedScope, SignOutRoutes,
    answer::answer,
    evictions::{Eviction, MessageName},
    failure::Failure,
    message::{self, LogoutToken, Refusal},
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
    ///   than POST, 413 for a body over 64 KiB, 415 for another body than a form;
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
        let token = LogoutToken::of(&verified.claims, verified.issued_at)?;
        let message = token.message(&verified.issuer).map_err(Failure::NotEnded)?;
        let name = MessageName {
            issuer: verified.issuer.clone(),
            subject: token.subject.clone(),
            sid: token.sid.clone(),
            issued_at_ms: token.issued_at.as_millis(),
        };
        let eviction = eviction(&verified.issuer, token).map_err(Failure::NotEnded)?;
        let cache = self.cache().clone();
        let fate = self
            .evict(Some(name), eviction, move || async move {
                cache.sign_out_by(&message).await
            })
            .await;
        Failure::of(fate)
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

fn eviction(issuer: &str, token: LogoutToken) -> token_cache_core::Result<Eviction> {
    let account = token.subject.map(|subject| AccountId::new(issuer, subject));
    let provider_session = token.sid.map(|sid| ProviderSession::new(issuer, sid));
    Ok(Eviction {
        cause: Cause::BackChannel,
        scope: if provider_session.is_some() {
            EndedScope::ProviderSession
        } else {
            EndedScope::Account
        },
        account: account.transpose()?,
        provider_session: provider_session.transpose()?,
    })
}
