use std::{fmt, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::ErrorResponse;
use crate::{Error, error::Causes};

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A failure of a provider to return tokens, or to revoke one.
///
/// It prints no token. Do not put a token into the message or the source.
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
    response: Option<Box<ErrorResponse>>,
    new_refresh_token: Option<SecretString>,
    source: Option<Source>,
}

/// The kind of a [`RefreshError`]. Each kind is handled differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new kind needs a decision in the refresh that handles it"
)]
pub enum RefreshErrorKind {
    /// The provider is unreachable, overloaded or faulty: the same request may succeed later. The old token is served while it is
    /// still valid.
    Transient,
    /// `invalid_grant` (RFC 6749 section 5.2): the refresh token has expired, was revoked or is used up. The session ends, if its
    /// entry still has the version that was sent.
    InvalidGrant,
    /// The provider requires an action of the user first: consent, a second factor, a new password. The refresh token is still
    /// valid, and the session continues. Send the user to the provider, with [`claims`](ErrorResponse::claims) if there are any.
    InteractionRequired,
    /// `invalid_client`, `unauthorized_client` and every other refusal that concerns this app and not the user. No session ends.
    Refused,
    /// The answer is not a token response of RFC 6749 section 5.1. Nothing is stored.
    Malformed,
}

impl RefreshError {
    /// Returns a failure after which the provider may answer the same request later.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Transient, message)
    }

    /// Returns the failure that the provider refuses the refresh token: `invalid_grant`.
    pub fn invalid_grant(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::InvalidGrant, message)
    }

    /// Returns the failure that the provider refuses this app.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Refused, message)
    }

    /// Returns the failure that the provider's answer is not a token response.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Malformed, message)
    }

    /// Returns the failure that an error code stands for, as [`of_response`](Self::of_response) for a response with only that
    /// code.
    pub fn of_code(code: &str) -> Self {
        Self::of_response(ErrorResponse::new(code))
    }

    /// Returns the failure that an error response stands for (RFC 6749 section 5.2, RFC 7009 section 2.2.1).
    ///
    /// | the response | its kind |
    /// |---|---|
    /// | `invalid_grant` | [`InvalidGrant`](RefreshErrorKind::InvalidGrant): the session ends |
    /// | `invalid_grant` with a `suberror` or with `claims` (Microsoft Entra) | [`InteractionRequired`](RefreshErrorKind::InteractionRequired): one resource requires an action of the user |
    /// | `interaction_required`, `login_required`, `consent_required`, `account_selection_required`, `unmet_authentication_requirements` | the same |
    /// | one of these with the `suberror` `bad_token` or `token_expired` | `InvalidGrant` |
    /// | `server_error`, `temporarily_unavailable` | [`Transient`](RefreshErrorKind::Transient) |
    /// | everything else | [`Refused`](RefreshErrorKind::Refused) |
    ///
    /// A [`TokenSource`](super::TokenSource) for a particular provider can change the kind with [`with_kind`](Self::with_kind).
    pub fn of_response(response: ErrorResponse) -> Self {
        let about_user = match response.suberror() {
            Some("bad_token" | "token_expired") => RefreshErrorKind::InvalidGrant,
            _ => RefreshErrorKind::InteractionRequired,
        };
        let kind = match response.code() {
            "invalid_grant" if response.suberror().or(response.claims()).is_none() => {
                RefreshErrorKind::InvalidGrant
            }
            "invalid_grant"
            | "interaction_required"
            | "login_required"
            | "consent_required"
            | "account_selection_required"
            | "unmet_authentication_requirements" => about_user,
            "server_error" | "temporarily_unavailable" => RefreshErrorKind::Transient,
            _ => RefreshErrorKind::Refused,
        };
        let message = format!("the provider answered {}", response.quoted());
        Self {
            response: Some(Box::new(response)),
            ..Self::new(kind, message)
        }
    }

    fn new(kind: RefreshErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            answer_lost: false,
            response: None,
            new_refresh_token: None,
            source: None,
        }
    }

    /// Returns the same failure with another kind, for a provider whose error codes have a meaning of their own.
    ///
    /// ```
    /// use token_cache_core::{RefreshError, RefreshErrorKind};
    ///
    /// let mut error = RefreshError::of_code("bad_refresh_token");
    /// if error.response().is_some_and(|response| response.code() == "bad_refresh_token") {
    ///     error = error.with_kind(RefreshErrorKind::InvalidGrant);
    /// }
    /// assert_eq!(error.kind(), RefreshErrorKind::InvalidGrant);
    /// ```
    pub fn with_kind(mut self, kind: RefreshErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a refresh token that came with an otherwise unusable answer: the provider has replaced the one that was sent. It is
    /// stored beside the old access token.
    pub fn with_new_refresh_token(mut self, refresh_token: SecretString) -> Self {
        self.new_refresh_token = Some(refresh_token);
        self
    }

    /// Sets how long the provider asks for no further requests: the header `Retry-After` (RFC 9110 section 10.2.3). At most one
    /// day is respected.
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Sets that the request may have been carried out although no usable answer came: a timeout, a broken connection, a gateway
    /// that gave up, a token response that cannot be read.
    pub fn answer_lost(mut self) -> Self {
        self.answer_lost = true;
        self
    }

    /// Adds the client's own error as the source. It must print no token.
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind of the failure.
    pub const fn kind(&self) -> RefreshErrorKind {
        self.kind
    }

    /// Returns the error response of the provider, if it sent one.
    pub fn response(&self) -> Option<&ErrorResponse> {
        self.response.as_deref()
    }

    /// Returns the refresh token that came with an otherwise unusable answer, if there was one.
    pub const fn new_refresh_token(&self) -> Option<&SecretString> {
        self.new_refresh_token.as_ref()
    }

    /// Returns `true` if the request may have been carried out although no usable answer came.
    pub const fn is_answer_lost(&self) -> bool {
        self.answer_lost
    }

    /// Returns how long the provider asks for no further requests, if it said so.
    pub const fn pause(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Converts the error of a token response that [`TokenSet::from_response`](crate::TokenSet::from_response) could not read.
impl From<Error> for RefreshError {
    fn from(error: Error) -> Self {
        if let Some(failure) = error.refresh_error() {
            return failure.clone();
        }
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

/// `{:?}` prints the sentence of [`Display`](fmt::Display), the kind and the causes. `{:#?}` prints the struct, without tokens.
impl fmt::Debug for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = Causes(self.source.as_deref().map(|source| source as _));
        if !f.alternate() {
            return write!(f, "{self} [{:?}]{causes}", self.kind);
        }
        let new_refresh_token = self.new_refresh_token.as_ref().map(|_| "[redacted]");
        f.debug_struct("RefreshError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("retry_after", &self.retry_after)
            .field("answer_lost", &self.answer_lost)
            .field("response", &self.response)
            .field("new_refresh_token", &new_refresh_token)
            .field("causes", &causes.list())
            .finish()
    }
}

impl std::error::Error for RefreshError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::RefreshError;

    #[test]
    fn debug_prints_a_sentence_and_its_alternate_form_the_struct_without_tokens() {
        let error = RefreshError::transient("the provider answered 503; try again later")
            .with_new_refresh_token("canary".into())
            .with_source(std::io::Error::other("connection reset"));
        assert_eq!(
            format!("{error:?}"),
            "the provider answered 503; try again later [Transient]; caused by: connection reset"
        );
        let structure = format!("{error:#?}");
        assert!(structure.starts_with("RefreshError {"), "{structure}");
        assert!(structure.contains("connection reset"), "{structure}");
        assert!(!structure.contains("canary"), "{structure}");
    }
}
