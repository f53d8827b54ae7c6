use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use crate::RefreshError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The result type of `token-cache` functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of an operation: why it failed, and what to do about it.
///
/// An error is never a miss, and a miss never an error (G4). Its text contains no token, key, ticket secret or id (G5).
///
/// ```
/// use token_cache_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Unavailable, "read an entry")
///     .store("redis")
///     .message("connection refused; is the server running?");
/// assert!(error.is_retryable() && !error.is_signed_out());
/// assert_eq!(
///     error.to_string(),
///     "redis could not read an entry: connection refused; is the server running?"
/// );
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    store: Option<&'static str>,
    message: String,
    may_have_applied: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session has ended. Send the user to sign in again.
    SignedOut,
    /// A sign-out came after the user's authentication, so this sign-in is refused and no session was begun (G2). Show a page
    /// that offers a new sign-in with `prompt=login`. Do not redirect automatically: without that parameter a provider may answer
    /// with the same authentication, which is refused again.
    SignInRevoked,
    /// The store cannot be reached, or lost its primary.
    Unavailable,
    /// The store did not answer in the configured time.
    TimedOut,
    /// The store asks for fewer requests.
    Throttled,
    /// The store has no space left: nothing was written. Sign-out still works.
    Full,
    /// The store refuses these credentials, or does not allow them this command.
    Denied,
    /// A setting is wrong: a URL, a secret, a server's configuration.
    Config,
    /// A value is over the store's limit; nothing was sent.
    TooLarge,
    /// Bytes in the store were not written by `token-cache`, or a later release wrote them or sealed the ticket. The session may
    /// still live.
    Corrupt,
    /// A [`Ticket`](crate::Ticket) or a [`StartedSignIn`](crate::StartedSignIn) was changed, truncated, or is not one. It opens
    /// no session on any server, so the app drops it. No request was sent to the store.
    InvalidTicket,
    /// Bytes were sealed under a key that this server does not have.
    KeyMissing,
    /// The store does not support an optional part.
    Unsupported,
    /// A refresh is impossible: there is no entry, or it has no refresh token. Put tokens that have one, or have the user sign in
    /// again.
    NotRefreshable,
    /// The provider cannot be reached, or asks for no further requests for a while.
    ProviderUnavailable,
    /// The provider refuses this app: its credentials, or what it requests.
    ProviderRefused,
    /// The provider requires an action of the user first: consent, a second factor, a new password. The session continues. Send
    /// the user to the provider's authorization endpoint, with the claims challenge of [`Error::refresh_error`] if there is one.
    InteractionRequired,
    /// The provider's answer is not a token response, or cannot be used.
    ProviderMalformed,
    /// A value passed by the caller is out of range, such as an empty subject or a lifetime of zero.
    Misuse,
    /// Any other failure: a fault of this library, of a driver, or of the machine.
    Unexpected,
}

impl Error {
    /// Returns an error of `kind` while trying to `operation` (an infinitive: "read an entry").
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            store: None,
            message: String::new(),
            may_have_applied: false,
            source: None,
        }))
    }

    /// Returns an error for a session that has ended, while trying to `operation`.
    pub fn signed_out(operation: &'static str) -> Self {
        Self::new(ErrorKind::SignedOut, operation)
    }

    /// Returns an error for an invalid value from the caller; `message` names the value and the fix.
    pub fn misuse(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, operation).message(message)
    }

    /// Returns an error for an invalid setting; `message` names the setting and the fix.
    pub fn config(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, operation).message(message)
    }

    /// Sets the store that failed.
    pub fn store(mut self, store: &'static str) -> Self {
        self.0.store = Some(store);
        self
    }

    /// Sets what happened and what to do: one sentence, lower case, without ids, keys or tokens.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Sets the driver's own error as the source.
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets that the request may have been carried out although no answer came.
    pub fn maybe_applied(mut self) -> Self {
        self.0.may_have_applied = true;
        self
    }

    /// Returns the same error with another kind, for code that knows more about the origin of the bytes.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Returns the kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Returns the name of the store that failed, or `None` if no store did.
    ///
    /// ```
    /// use token_cache_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Unavailable, "read an entry").store("redis");
    /// assert_eq!(error.store_name(), Some("redis"));
    /// assert_eq!(Error::config("open the cache", "no secret").store_name(), None);
    /// ```
    pub fn store_name(&self) -> Option<&'static str> {
        self.0.store
    }

    /// Returns `true` if the session has ended: send the user to sign in again.
    ///
    /// Returns `false` for [`SignInRevoked`](ErrorKind::SignInRevoked): there was no session, and sending the user back to the
    /// provider as usual can cause an endless redirect loop.
    pub fn is_signed_out(&self) -> bool {
        self.0.kind == ErrorKind::SignedOut
    }

    /// Returns `true` if the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unavailable
                | ErrorKind::TimedOut
                | ErrorKind::Throttled
                | ErrorKind::ProviderUnavailable
        )
    }

    /// Returns how long the provider asks for no further requests (`Retry-After`), if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refresh_error()?.pause()
    }

    /// Returns the provider's answer to a refresh, if that caused this error. Its [`response`](RefreshError::response) has the
    /// provider's error code, claims challenge and description.
    pub fn refresh_error(&self) -> Option<&RefreshError> {
        let source: &dyn std::error::Error = self.0.source.as_deref()?;
        source.downcast_ref()
    }

    /// Returns `true` if the request may have been carried out although the call failed.
    ///
    /// After a sign-out, call again until it is `Ok`. After a write, read before writing again.
    pub fn may_have_applied(&self) -> bool {
        self.0.may_have_applied
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            operation,
            store,
            message,
            ..
        } = &*self.0;
        match store {
            Some(store) => write!(f, "{store} could not {operation}: ")?,
            None => write!(f, "could not {operation}: ")?,
        }
        if message.is_empty() {
            write!(f, "{kind}")
        } else {
            f.write_str(message)
        }
    }
}

/// `{:?}` prints the sentence of [`Display`](fmt::Display), the kind and the causes, so that an error returned from `main` prints a
/// sentence. `{:#?}` prints the struct, with the causes as text.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let causes = Causes(std::error::Error::source(self));
        if f.alternate() {
            return f
                .debug_struct("Error")
                .field("kind", &inner.kind)
                .field("operation", &inner.operation)
                .field("store", &inner.store)
                .field("message", &inner.message)
                .field("may_have_applied", &inner.may_have_applied)
                .field("causes", &causes.list())
                .finish();
        }
        write!(f, "{self} [{}", inner.kind.name())?;
        if inner.may_have_applied {
            f.write_str("; it may have been applied")?;
        }
        write!(f, "]{causes}")
    }
}

/// The chain of causes of an error. It prints their `Display`, because the `Debug` of a driver's error may contain what was sent.
pub(crate) struct Causes<'a>(pub(crate) Option<&'a (dyn std::error::Error + 'static)>);

impl<'a> Causes<'a> {
    fn each(&self) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> + use<'a> {
        std::iter::successors(self.0, |cause| cause.source())
    }

    pub(crate) fn list(&self) -> Vec<String> {
        self.each().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.each()
            .try_for_each(|cause| write!(f, "; caused by: {cause}"))
    }
}

/// Converting bytes to an [`EntryValue`](crate::EntryValue) cannot fail, but the bounds of [`Session::put`](crate::Session::put)
/// require this.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl ErrorKind {
    /// Returns the name of the kind in snake case, as in the labels of metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignInRevoked => "sign_in_revoked",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Throttled => "throttled",
            Self::Full => "full",
            Self::Denied => "denied",
            Self::Config => "config",
            Self::TooLarge => "too_large",
            Self::Corrupt => "corrupt",
            Self::InvalidTicket => "invalid_ticket",
            Self::KeyMissing => "key_missing",
            Self::Unsupported => "unsupported",
            Self::NotRefreshable => "not_refreshable",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderRefused => "provider_refused",
            Self::InteractionRequired => "interaction_required",
            Self::ProviderMalformed => "provider_malformed",
            Self::Misuse => "misuse",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedOut => "the session has ended; the user must sign in again",
            Self::SignInRevoked => {
                "a sign-out came after the user's authentication; start again with `prompt=login`"
            }
            Self::Unavailable => "the store can't be reached; is it running?",
            Self::TimedOut => "the store did not answer in time; try again",
            Self::Throttled => "the store asks for fewer requests; try again later",
            Self::Full => "the store has no room; give it more memory",
            Self::Denied => "the store refuses these credentials; check them and their permissions",
            Self::Config => "a setting is wrong; check the configuration",
            Self::TooLarge => "the value is over the store's limit; store less in one entry",
            Self::Corrupt => "the bytes are not what token-cache wrote; is the prefix shared?",
            Self::InvalidTicket => "the ticket is invalid; the user must sign in again",
            Self::KeyMissing => {
                "this server lacks the key that encrypted it; give every server the same keys"
            }
            Self::Unsupported => "the store lacks this optional part; use a store that has it",
            Self::NotRefreshable => "there is no refresh token; the user must sign in again",
            Self::ProviderUnavailable => "the provider can't be reached; try again later",
            Self::ProviderRefused => "the provider refuses this app; check its registration there",
            Self::InteractionRequired => {
                "the provider requires a step of the user; send the user there"
            }
            Self::ProviderMalformed => "the provider's answer can't be used; check its endpoint",
            Self::Misuse => "a value passed is out of range; correct the call",
            Self::Unexpected => "an unexpected fault; report it with its causes",
        })
    }
}

#[cfg(test)]
mod tests;
