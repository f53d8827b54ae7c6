use std::{fmt, sync::Arc, time::Duration};

use secrecy::SecretString;

use crate::{Error, ErrorResponse, types::error::Causes};

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// The failure of a call to the provider: a refresh that returned no tokens, or a revocation. A [`TokenSource`](crate::TokenSource) creates
/// and returns it.
///
/// The [`kind`](Self::kind) of the failure decides whether the session continues. If a refresh fails, the app receives an [`Error`], and
/// [`Error::refresh_error`] returns the `RefreshError` in it.
///
/// `Display` prints the message, and `Debug` also the kind and the causes. Neither prints the refresh token of
/// [`with_new_refresh_token`](Self::with_new_refresh_token). Do not put a token into the message or the source.
///
/// ```
/// use std::time::Duration;
/// use token_cache::refresh::{RefreshError, RefreshErrorKind};
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

/// The kind of a [`RefreshError`]: it decides whether the session continues, and when the provider is called again.
///
/// If the session continues, there is a pause on this app server. Until it ends, calls that need new tokens get the same error, and the
/// provider is not called: see [`RefreshPolicy::pause`](crate::RefreshPolicy::pause).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new kind needs a decision in the refresh that handles it"
)]
pub enum RefreshErrorKind {
    /// The provider is unreachable, overloaded or faulty: the same request may succeed later. The session continues, and the refresh token
    /// stays stored. Callers get the old access token while it is valid, and afterwards the error
    /// [`ProviderUnavailable`](crate::ErrorKind::ProviderUnavailable).
    Transient,
    /// `invalid_grant` (RFC 6749 section 5.2): the refresh token has expired, was revoked or is used up. The session ends, and callers get
    /// [`SignedOut`](crate::ErrorKind::SignedOut).
    ///
    /// The session continues if other tokens were stored during the refresh. It also continues if no tokens were stored before the refresh:
    /// callers then get [`ProviderRefused`](crate::ErrorKind::ProviderRefused).
    InvalidGrant,
    /// The provider requires an action of the user first: consent, a second factor, a new password. The session continues, the refresh
    /// token stays stored, and callers get [`InteractionRequired`](crate::ErrorKind::InteractionRequired). Send the user to the provider,
    /// with the [`claims`](ErrorResponse::claims) of the error response if it has any.
    InteractionRequired,
    /// The provider refuses this app, and not the user: `invalid_client`, `unauthorized_client` and all other error codes. The session
    /// continues, the refresh token stays stored, and callers get [`ProviderRefused`](crate::ErrorKind::ProviderRefused).
    Refused,
    /// The provider's answer is not a token response (RFC 6749 section 5.1). The session continues, and callers get
    /// [`ProviderMalformed`](crate::ErrorKind::ProviderMalformed). The old tokens stay stored. If the answer had a [new refresh
    /// token](RefreshError::with_new_refresh_token), that one replaces the old refresh token.
    Malformed,
}

impl RefreshError {
    /// Creates a failure of kind [`Transient`](RefreshErrorKind::Transient): the provider cannot be reached, or answered 429 or 5xx.
    /// `message` says what failed, for logs, and must contain no token.
    ///
    /// The session continues, and the refresh token stays stored. The next call that needs tokens after a
    /// [pause](crate::RefreshPolicy::pause) tries again. If the request may have reached the provider, also call
    /// [`answer_lost`](Self::answer_lost).
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Transient, message)
    }

    /// Creates a failure of kind [`InvalidGrant`](RefreshErrorKind::InvalidGrant): the provider refuses the refresh token, which has
    /// expired, was revoked or is used up. `message` says what failed, for logs, and must contain no token.
    ///
    /// **The session ends** on every server, and the user must sign in again. It continues if other tokens were stored during the
    /// refresh, or if no tokens were stored before it.
    pub fn invalid_grant(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::InvalidGrant, message)
    }

    /// Creates a failure of kind [`Refused`](RefreshErrorKind::Refused): the provider refuses this app, for example its client secret or
    /// the scopes that it requests. `message` says what failed, for logs, and must contain no token.
    ///
    /// The session continues, and the refresh token stays stored. The next call that needs tokens after a
    /// [pause](crate::RefreshPolicy::pause) tries again.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Refused, message)
    }

    /// Creates a failure of kind [`Malformed`](RefreshErrorKind::Malformed): the provider's answer is not a token response. `message` says
    /// what failed, for logs, and must contain no token.
    ///
    /// The session continues, and the old tokens stay stored. The next call that needs tokens after a [pause](crate::RefreshPolicy::pause)
    /// tries again. The provider may have used the refresh token up: also call [`answer_lost`](Self::answer_lost).
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(RefreshErrorKind::Malformed, message)
    }

    /// Creates the failure for the error code `code` of the provider, such as `invalid_grant`. It is the same as
    /// [`of_response`](Self::of_response) with a response that has only that code.
    pub fn of_code(code: &str) -> Self {
        Self::of_response(ErrorResponse::new(code))
    }

    /// Creates the failure for an error response of the provider (RFC 6749 section 5.2, RFC 7009 section 2.2.1). The error code of the
    /// response decides the kind of the failure. [`response`](Self::response) then returns the error response.
    ///
    /// | the response | the kind |
    /// |---|---|
    /// | `invalid_grant` | [`InvalidGrant`](RefreshErrorKind::InvalidGrant): the session ends |
    /// | `invalid_grant` with a `suberror` or with `claims` (Microsoft Entra) | [`InteractionRequired`](RefreshErrorKind::InteractionRequired): one resource requires an action of the user |
    /// | `interaction_required`, `login_required`, `consent_required`, `account_selection_required`, `unmet_authentication_requirements` | `InteractionRequired` |
    /// | a code of the rows above with the `suberror` `bad_token` or `token_expired` | `InvalidGrant` |
    /// | `server_error`, `temporarily_unavailable` | [`Transient`](RefreshErrorKind::Transient) |
    /// | every other code | [`Refused`](RefreshErrorKind::Refused) |
    ///
    /// A [`TokenSource`](crate::TokenSource) for a particular provider can change the kind with [`with_kind`](Self::with_kind).
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

    /// Replaces the kind of the failure, which decides whether the session continues. Use it in a [`TokenSource`](crate::TokenSource) for a
    /// provider whose error codes have a meaning of their own.
    ///
    /// ```
    /// use token_cache::refresh::{RefreshError, RefreshErrorKind};
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

    /// Adds a new refresh token from a provider's answer that is otherwise unusable. The provider has replaced the refresh token that was
    /// sent.
    ///
    /// The cache stores the new refresh token with the old access token, and the next refresh sends it. It is not stored in these cases:
    /// - The failure ends the session.
    /// - Other tokens were stored during the refresh.
    /// - No tokens were stored before the refresh.
    pub fn with_new_refresh_token(mut self, refresh_token: SecretString) -> Self {
        self.new_refresh_token = Some(refresh_token);
        self
    }

    /// Sets the time for which the provider wants no further requests, from the header `Retry-After` (RFC 9110 section 10.2.3). By default,
    /// no such time is set.
    ///
    /// After a [`Transient`](RefreshErrorKind::Transient) failure, this app server does not send the refresh token again for that time.
    /// Other app servers may. A time over one day counts as one day. A time that is shorter than the pause that the failure causes anyway
    /// ([`RefreshPolicy::pause`](crate::RefreshPolicy::pause)) has no effect.
    ///
    /// After a failure of another kind, the time has no effect, but [`pause`](Self::pause) returns it.
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Marks that the provider may have used the refresh token up, although no usable answer arrived. By default, a failure is not marked.
    /// Examples of failures to mark are a timeout, a broken connection, a gateway that gave up, and a token response that cannot be read.
    ///
    /// The pause after the failure is then twenty times the [`RefreshPolicy::pause`](crate::RefreshPolicy::pause), at most five minutes.
    /// [`AfterLostAnswer`](crate::AfterLostAnswer) decides whether the next refresh sends the refresh token again, or ends the session.
    pub fn answer_lost(mut self) -> Self {
        self.answer_lost = true;
        self
    }

    /// Sets the cause of the failure, such as the HTTP client's error. By default, a failure has no cause. `Debug` prints the text of the
    /// cause, which must contain no token.
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind of the failure, which decides whether the session continues.
    pub const fn kind(&self) -> RefreshErrorKind {
        self.kind
    }

    /// Returns the error response of the provider. Returns `None` if the failure was created with another function than
    /// [`of_response`](Self::of_response) and [`of_code`](Self::of_code).
    pub fn response(&self) -> Option<&ErrorResponse> {
        self.response.as_deref()
    }

    /// Returns the new refresh token that a provider sent in a response without usable tokens, as
    /// [`with_new_refresh_token`](Self::with_new_refresh_token) set it. The cache stores it, because the old one may be spent. Returns
    /// `None`
    /// if that method was not called.
    pub const fn new_refresh_token(&self) -> Option<&SecretString> {
        self.new_refresh_token.as_ref()
    }

    /// Returns `true` if [`answer_lost`](Self::answer_lost) was called: the provider may have used the refresh token up. Returns `false`
    /// otherwise.
    pub const fn is_answer_lost(&self) -> bool {
        self.answer_lost
    }

    /// Returns the time for which the provider wants no further requests, as [`retry_after`](Self::retry_after) set it. Returns `None` if
    /// that method was not called.
    pub const fn pause(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Converts the error of [`TokenSet::from_response`](crate::TokenSet::from_response), so that a [`TokenSource`](crate::TokenSource) can use
/// `?`.
///
/// If the source of the error is a [`RefreshError`], that one is returned. Any other error becomes
/// [`Malformed`](RefreshErrorKind::Malformed) with a [lost answer](RefreshError::answer_lost).
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
