use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use token_cache_core::Error;

use crate::{
    http::{FetchError, RequestError, no_store_response},
    jwt::ValidationError,
};

/// Why a provider's message did not end its sessions.
#[derive(Debug, Clone)]
pub(crate) enum MessageError {
    /// The message is invalid. Sending it again does not help.
    Request(RequestError),
    Invalid(ValidationError),
    /// The message may be valid, but its key cannot be fetched now. It is verified later, if the queue has room.
    KeysUnavailable(FetchError),
    /// The message is valid, but the sessions may not have ended.
    SignOutFailed(Error),
    /// The message is valid, and the sign-out is still running.
    Pending,
}

impl MessageError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Request(refusal) => refusal.status(),
            // OpenID Connect Back-Channel Logout 1.0 section 2.8.
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::KeysUnavailable(_) | Self::SignOutFailed(_) | Self::Pending => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Returns the text for the provider's log. It contains nothing of the message (G5).
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Request(refusal) => refusal.to_string(),
            Self::Invalid(refusal) => refusal.to_string(),
            Self::KeysUnavailable(error) => format!("{error}; send the message again"),
            Self::SignOutFailed(error) => format!(
                "the sessions may not have ended ({}); send the message again",
                error.kind().name()
            ),
            Self::Pending => {
                "the sign-out is still running; send the message again for its result".to_owned()
            }
        }
    }

    /// Returns the response with this body.
    pub(crate) fn to_response(&self, body: impl serde::Serialize) -> Response<Bytes> {
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let status = self.status();
        let mut response = no_store_response(status, body);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after()));
        }
        response
    }

    /// Returns after how many seconds the message may be sent again.
    fn retry_after(&self) -> u64 {
        match self {
            Self::KeysUnavailable(error) => error.retry_after().as_secs() + 1,
            Self::Request(_) | Self::Invalid(_) | Self::SignOutFailed(_) | Self::Pending => 1,
        }
    }
}

impl From<RequestError> for MessageError {
    fn from(refusal: RequestError) -> Self {
        Self::Request(refusal)
    }
}

impl From<ValidationError> for MessageError {
    fn from(refusal: ValidationError) -> Self {
        Self::Invalid(refusal)
    }
}
