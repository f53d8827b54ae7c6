use std::borrow::Cow;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use serde::Serialize;

use super::{SignOutRoutes, provider_message::MessageError};
use crate::{
    http::{form_parameter, no_store_response, read_post},
    jwt::{TokenKind, ValidationError},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The error body of Back-Channel Logout 1.0 section 2.8.
#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: String,
}

impl SignOutRoutes {
    /// Handles a provider's logout token (OpenID Connect Back-Channel Logout 1.0). Serve it at
    /// [`BACK_CHANNEL_LOGOUT`](crate::paths::BACK_CHANNEL_LOGOUT).
    ///
    /// It verifies the token, ends on every server the sessions that the token names, and then responds. The app need
    /// not check the request beforehand: the provider's signature authenticates it.
    ///
    /// The response is
    /// - 200 if the sessions have ended, now or earlier (G1). Also if the token names no session of this app.
    /// - 400 with `{"error":"invalid_request","error_description":…}` if the token is invalid.
    /// - 405 if the method is not POST, and 415 if the body is not a form.
    /// - 408 if the body takes more than two seconds, and 413 if it exceeds 64 KiB.
    /// - 503 with `Retry-After` if the token cannot be verified now, or if the sessions may not have ended. The
    ///   provider must send the token again. A repeated token waits for the sign-out that is already running.
    ///
    /// The sign-out runs in its own task. It continues when the provider closes the connection, so no message is lost
    /// (G4).
    ///
    /// Most providers send a token only once. So if the key of a token cannot be fetched, the response is 503, and this
    /// app server verifies the token again later, for up to two minutes. Waiting tokens use at most 32 MiB of its
    /// memory, shared equally among the issuers. A token that does not fit is answered with 503 and dropped: it ends
    /// nothing unless the provider sends it again.
    ///
    /// A delayed, repeated or replayed token never ends a session that was authenticated after the token was issued
    /// (G2), unless the session has the token's `sid`. Responses contain no part of a token (G5). Each invalid token,
    /// and each token that cannot be verified now, is logged at WARN with the reason.
    pub async fn back_channel_logout<B: Body>(&self, request: Request<B>) -> Response<Bytes> {
        let token = read_logout_token(request);
        match self.process_message(token, TokenKind::LogoutToken).await {
            Ok(()) => no_store_response(StatusCode::OK, Bytes::new()),
            Err(failure) => failure.to_response(ErrorBody {
                error: match failure {
                    MessageError::Request(_) | MessageError::Invalid(_) => "invalid_request",
                    _ => "temporarily_unavailable",
                },
                error_description: failure.description(),
            }),
        }
    }
}

async fn read_logout_token<B: Body>(request: Request<B>) -> Result<String, MessageError> {
    let form = read_post(request, FORM).await?;
    Ok(logout_token(&form)?.into_owned())
}

/// Returns the `logout_token` of a form (OpenID Connect Back-Channel Logout 1.0 section 2.5). Other fields are ignored.
fn logout_token(form: &[u8]) -> Result<Cow<'_, str>, ValidationError> {
    form_parameter(form, "logout_token")
        .map_err(|_| ValidationError::RepeatedLogoutToken)?
        .ok_or(ValidationError::MissingLogoutToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_logout_token_among_others() {
        assert_eq!(
            logout_token(b"a=1&logout_token=a.b.c&a=2").unwrap(),
            "a.b.c"
        );
        assert_eq!(logout_token(b""), Err(ValidationError::MissingLogoutToken));
        assert_eq!(
            logout_token(b"logout_token=a&logout%5Ftoken=a"),
            Err(ValidationError::RepeatedLogoutToken)
        );
    }
}
