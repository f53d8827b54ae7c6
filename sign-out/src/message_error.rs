use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use token_cache_core::Error;

use crate::{
    keys::FetchError, message::ValidationError, response::no_store_response,
    running_sign_outs::Outcome,
};

/// Why a provider's message was not carried out.
#[derive(Debug, Clone)]
pub(crate) enum MessageError {
    /// It is none that we act upon. Sent again, it will be refused again.
    Invalid(ValidationError),
    /// It may be good, and can't be verified now. It is verified later, if there is room for it.
    KeysUnavailable(FetchError),
    /// It is good, and the sessions may not have ended.
    SignOutFailed(Error),
    /// It is good, and being carried out.
    Pending,
}

impl MessageError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(refusal) => refusal.status(),
            Self::KeysUnavailable(_) | Self::SignOutFailed(_) | Self::Pending => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What happened, for the provider's log. It holds nothing of the message (G5).
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Invalid(refusal) => refusal.to_string(),
            Self::KeysUnavailable(error) => format!("{error}; send the message again"),
            Self::SignOutFailed(error) => format!(
                "the sessions may not have ended ({}); send the message again",
                error.kind().name()
            ),
            Self::Pending => {
                "the sessions are being ended; send the message again to hear of it".to_owned()
            }
        }
    }

    /// The answer, with this body.
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

    /// After how many seconds the message may be sent again.
    fn retry_after(&self) -> u64 {
        match self {
            Self::KeysUnavailable(error) => error.retry_after().as_secs() + 1,
            Self::Invalid(_) | Self::SignOutFailed(_) | Self::Pending => 1,
        }
    }

    /// What an eviction came to.
    pub(crate) fn from_outcome(outcome: Outcome) -> Result<(), Self> {
        match outcome {
            Outcome::Ended => Ok(()),
            Outcome::Failed(error) => Err(Self::SignOutFailed(error)),
            Outcome::Pending => Err(Self::Pending),
        }
    }
}

impl From<ValidationError> for MessageError {
    fn from(refusal: ValidationError) -> Self {
        Self::Invalid(refusal)
    }
}
