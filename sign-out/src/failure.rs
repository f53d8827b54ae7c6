use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use token_cache_core::Error;

use crate::{answer::answer, evictions::Fate, keys::FetchError, message::Refusal};

/// Why a provider's message was not carried out.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// It is none that we act upon. Sent again, it will be refused again.
    Refused(Refusal),
    /// It may be good, and can't be verified now. It is verified later, if there is room for it.
    NoKeys(FetchError),
    /// It is good, and the sessions may not have ended.
    NotEnded(Error),
    /// It is good, and being carried out.
    Late,
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::NoKeys(_) | Self::NotEnded(_) | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What happened, for the provider's log. It holds nothing of the message (G5).
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::NoKeys(error) => format!("{error}; send the message again"),
            Self::NotEnded(error) => format!(
                "the sessions may not have ended ({}); send the message again",
                error.kind().name()
            ),
            Self::Late => {
                "the sessions are being ended; send the message again to hear of it".to_owned()
            }
        }
    }

    /// The answer, with this body.
    pub(crate) fn answer(&self, body: impl serde::Serialize) -> Response<Bytes> {
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let status = self.status();
        let mut response = answer(status, body);
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
            Self::NoKeys(error) => error.retry_after().as_secs() + 1,
            Self::Refused(_) | Self::NotEnded(_) | Self::Late => 1,
        }
    }

    /// What an eviction came to.
    pub(crate) fn of(fate: Fate) -> Result<(), Self> {
        match fate {
            Fate::Ended => Ok(()),
            Fate::Failed(error) => Err(Self::NotEnded(error)),
            Fate::Late => Err(Self::Late),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
