use std::{fmt, sync::Arc, time::Duration};

use crate::Error;

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// Why a provider gave no tokens, or did not revoke one.
///
/// It prints no token: give it none, neither in the message nor in the source.
///
/// ```
/// use std::time::Duration;
/// use token_cache_core::{RefreshError, RefreshErrorKind};
///
/// let error = RefreshError::transient("the provider answered 503").retry_after(Duration::from_secs(2));
/// assert_eq!(error.kind(), RefreshErrorKind::Transient);
/// ```
#[derive(Clone)]
pub struct RefreshError {
    kind: RefreshErrorKind,
    message: String,
    retry_after: Option<Duration>,
    answer_lost: bool,
    source: Option<Source>,
}

/// What sort of failure a [`RefreshError`] is: each is treated in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever adds a kind must say what a refresh does with it"
)]
pub enum RefreshErrorKind {
    /// The provider can't be reached, is overloaded or faulty: the same request may succeed later. The old token is served
    /// while it is still valid.
    Transient,
    /// `invalid_grant` (RFC 6749 section 5.2): the refresh token is expired, revoked or used up. The session ends, if its
    /// entry still is the one that was sent.
    InvalidGrant,
    /// `invalid_client`, `unauthorized_client` and every other refusal that says something about this app, and nothing about
    /// the user. Nothing ends.
    Refused,
    /// The answer is no token response of RFC 6749 section 5.1. Nothing is stored.
    Malformed,
}

impl RefreshError {
    /// The provider may answer the same request later.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Transient, message)
    }

    /// The provider refuses the refresh token: `invalid_grant`.
    pub fn invalid_grant(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::InvalidGrant, message)
    }

    /// The provider refuses this app.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Refused, message)
    }

    /// The provider's answer is no token response.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Malformed, message)
    }

    /// The failure that a provider's error code stands for (RFC 6749 section 5.2, RFC 7009 section 2.2.1).
    pub fn of_code(code: &str) -> Self {
        match code {
            "invalid_grant" => Self::invalid_grant("the provider answered invalid_grant"),
            "server_error" | "temporarily_unavailable" => {
                Self::transient(format!("the provider answered {code}"))
            }
            "invalid_client"
            | "unauthorized_client"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type"
            | "unsupported_token_type" => Self::refused(format!("the provider answered {code}")),
            _ => Self::refused("the provider answered with an error code of its own"),
        }
    }

    fn new(kind: RefreshErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            answer_lost: false,
            source: None,
        }
    }

    /// Says how long the provider asks to be left alone: the header `Retry-After` (RFC 9110 section 10.2.3). It is left
    /// alone for a day at the most.
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Says that the request may have been carried out although no answer came that is of use: a timeout, a connection that was
    /// cut, a gateway that gave up, a token response that can't be read.
    pub fn answer_lost(mut self) -> Self {
        self.answer_lost = true;
        self
    }

    /// Keeps the client's own error. It must print no token.
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What sort of failure this is.
    pub const fn kind(&self) -> RefreshErrorKind {
        self.kind
    }

    /// True where the request may have been carried out although no answer came that is of use.
    pub const fn is_answer_lost(&self) -> bool {
        self.answer_lost
    }

    /// How long the provider asks to be left alone.
    pub const fn pause(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// A token response that could not be read, by [`TokenSet::from_response`](crate::TokenSet::from_response).
impl From<Error> for RefreshError {
    fn from(error: Error) -> Self {
        Self::malformed(error.to_string())
            .with_source(error)
            .answer_lost()
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("retry_after", &self.retry_after)
            .field("answer_lost", &self.answer_lost)
            .field("source", &self.source)
            .finish()
    }
}

impl std::error::Error for RefreshError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
