use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use crate::RefreshError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The result type of the functions of `token-cache`: its error is [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of an operation: why it failed, and what to do about it.
///
/// An app matches on the [`kind`](Self::kind). Authors of a store, a key provider or a token source create errors, with the functions
/// below.
///
/// An operation that fails returns an error, and never `None` as for a missing entry (G4). The text of an error contains no token, key,
/// ticket secret or id (G5).
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

/// The kind of an [`Error`]: it says what the app does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session has ended: by a sign-out, at the end of its lifetime, by the limit of sessions, or because the provider refused its
    /// refresh token. Send the user to sign in again.
    SignedOut,
    /// This sign-in is refused, and no session was begun. A sign-out came after the user's authentication (G2), or could have been missed:
    /// the sign-in took longer than its timeout, or claims to have begun in the future. The same kind is returned if the authentication
    /// is too old for the `max_age` of the request, or its `session_expiry` has passed. Show a page
    /// that offers a new sign-in with `prompt=login`. Do not redirect automatically: without that parameter a provider may answer
    /// with the same authentication, which is refused again.
    SignInRevoked,
    /// The store cannot be reached, or lost its primary. Try again later.
    Unavailable,
    /// The store, the key provider or another server's refresh did not finish in time. Try again later.
    TimedOut,
    /// The store asks for fewer requests. Try again later.
    Throttled,
    /// The store has no space left: nothing was written. Sign-out still works.
    Full,
    /// The store refuses the credentials of this server, or does not allow them this command.
    Denied,
    /// A setting is wrong, such as a URL, a secret, or the configuration of the store. The message names it.
    Config,
    /// A value is over the store's limit; nothing was sent.
    TooLarge,
    /// Bytes in the store were changed, were not written by `token-cache`, or were written by a later release. The same error is returned
    /// for a ticket that a later release issued. The session may still live, so keep the ticket.
    Corrupt,
    /// A [`Ticket`](crate::Ticket) or a [`StartedSignIn`](crate::StartedSignIn) was changed, truncated, or is not one. It opens
    /// no session on any server, so the app drops it. No request was sent to the store.
    InvalidTicket,
    /// An entry, a ticket or a started sign-in was encrypted under a key that is missing in this server's [`KeyRing`](crate::KeyRing). The
    /// session may still live, so keep the ticket.
    KeyMissing,
    /// The store does not support an optional part that the call needs, such as the index of `sid`s or background sessions.
    Unsupported,
    /// A refresh is impossible: there is no entry, or it has no refresh token. Put tokens that have one, or have the user sign in
    /// again.
    NotRefreshable,
    /// The provider cannot be reached, or asks for no further requests for a while. The session continues. Try again after
    /// [`Error::retry_after`], if there is one.
    ProviderUnavailable,
    /// The provider refuses this app: its credentials, or what it requests. The session continues.
    ProviderRefused,
    /// The provider requires an action of the user first: consent, a second factor, a new password. The session continues. Send
    /// the user to the provider's authorization endpoint, with the claims challenge of [`Error::refresh_error`] if there is one.
    InteractionRequired,
    /// The provider's answer is not a token response, or cannot be used. The session continues.
    ProviderMalformed,
    /// A value passed by the caller is out of range, such as an empty subject or a lifetime of zero.
    Misuse,
    /// Any other failure: a fault of this library, of a driver, or of the machine.
    Unexpected,
}

impl Error {
    /// Creates an error of `kind`. `operation` completes the sentence "could not …", as in "read an entry".
    ///
    /// Without a [`message`](Self::message), the text of the error is a default sentence for its kind. It has no store and no source, and
    /// [`may_have_applied`](Self::may_have_applied) returns `false`.
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

    /// Creates an error of kind [`SignedOut`](ErrorKind::SignedOut): a store returns it if the session has ended, or if a not-before time
    /// refuses a sign-in. `operation` is as in [`new`](Self::new).
    pub fn signed_out(operation: &'static str) -> Self {
        Self::new(ErrorKind::SignedOut, operation)
    }

    /// Creates an error of kind [`Misuse`](ErrorKind::Misuse): the caller passed an invalid value. `message` names the value and says how
    /// to correct it. `operation` is as in [`new`](Self::new).
    pub fn misuse(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, operation).message(message)
    }

    /// Creates an error of kind [`Config`](ErrorKind::Config): a setting is wrong. `message` names the setting and says how to correct it.
    /// `operation` is as in [`new`](Self::new).
    pub fn config(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, operation).message(message)
    }

    /// Sets the name of the store that failed, such as `redis`. The text of the error then begins with it.
    pub fn store(mut self, store: &'static str) -> Self {
        self.0.store = Some(store);
        self
    }

    /// Sets the message: what happened and what to do. It is one sentence in lower case, without ids, keys or tokens. It replaces the
    /// default sentence of the kind.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Sets the cause, such as the driver's own error. `Debug` prints its text, which must contain no id, key or token.
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Marks the error: the request may have been carried out although no answer came. A store sets this if the request may have been sent.
    /// [`may_have_applied`](Self::may_have_applied) then returns `true`.
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

    /// Returns the operation that failed, such as "read an entry".
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

    /// Returns `true` if the same call may succeed later without a change: for the kinds [`Unavailable`](ErrorKind::Unavailable),
    /// [`TimedOut`](ErrorKind::TimedOut), [`Throttled`](ErrorKind::Throttled) and [`ProviderUnavailable`](ErrorKind::ProviderUnavailable).
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unavailable
                | ErrorKind::TimedOut
                | ErrorKind::Throttled
                | ErrorKind::ProviderUnavailable
        )
    }

    /// Returns how long the provider asks for no further requests (`Retry-After`). Returns `None` if it did not ask for that, or if no
    /// answer of the provider caused the error.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refresh_error()?.pause()
    }

    /// Returns the failure of the provider that caused this error, or `None` if it has another cause. Its
    /// [`response`](RefreshError::response) has the provider's error code, claims challenge and description.
    pub fn refresh_error(&self) -> Option<&RefreshError> {
        let source: &dyn std::error::Error = self.0.source.as_deref()?;
        source.downcast_ref()
    }

    /// Returns `true` if the store may have carried the request out although the call failed.
    ///
    /// Repeat a sign-out until it is `Ok`, whatever this returns. After a write, read the entry before writing it again.
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
