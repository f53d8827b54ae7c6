use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use crate::RefreshError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What `token-cache` functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed, and what may be done about it.
///
/// An error is never a miss, and a miss never an error (G4). What it prints holds no token, key, ticket secret or id (G5).
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

/// What sort of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session has ended. Send the user to sign in again.
    SignedOut,
    /// A sign-out came after the user's authentication, so this sign-in is refused and no session was begun (G2). Show a page that offers
    /// a new sign-in with `prompt=login`. Do not redirect by itself: without that parameter a provider may answer with the same
    /// authentication, which is refused again.
    SignInRevoked,
    /// The store can't be reached, or lost its primary.
    Unavailable,
    /// The store did not answer in the configured time.
    TimedOut,
    /// The store asks for fewer requests.
    Throttled,
    /// The store has no room: nothing was written. Sign-out still works.
    Full,
    /// The store refuses these credentials, or this command to them.
    Denied,
    /// A setting is wrong: a URL, a secret, a server's configuration.
    Config,
    /// A value is over the store's limit; nothing was sent.
    TooLarge,
    /// Bytes in the store are not what this family wrote, or a later release wrote them or sealed the ticket. The session may still live.
    Corrupt,
    /// A [`Ticket`](crate::Ticket) or a [`StartedSignIn`](crate::StartedSignIn) was changed, cut short, or is not one. It opens no
    /// session on any server, so the app drops it. The store was not asked.
    InvalidTicket,
    /// Bytes were sealed under a key that this server does not have.
    KeyMissing,
    /// The store lacks an optional part.
    Unsupported,
    /// There is nothing to refresh with: no entry, or one without a refresh token. Put tokens that have one, or have the user
    /// sign in again.
    NotRefreshable,
    /// The provider can't be reached, or asks to be left alone for a while.
    ProviderUnavailable,
    /// The provider refuses this app: its credentials there, or what it asks for.
    ProviderRefused,
    /// The provider wants the user to do something there first: consent, a second factor, a new password. The session continues. Send
    /// the user to the provider's authorization endpoint, with the claims challenge of [`Error::refresh_error`] if there is one.
    InteractionRequired,
    /// The provider's answer is no token response, or one that can't be used.
    ProviderMalformed,
    /// A value the calling code passed is out of range, such as an empty subject or a lifetime of zero.
    Misuse,
    /// None of the above: a fault of this library, of a driver, or of the machine.
    Unexpected,
}

impl Error {
    /// An error of `kind`, raised while trying to `operation` (an infinitive: "read an entry").
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

    /// A session that has ended, met while trying to `operation`.
    pub fn signed_out(operation: &'static str) -> Self {
        Self::new(ErrorKind::SignedOut, operation)
    }

    /// A value of the caller's that can't be used; `message` names the part and the fix.
    pub fn misuse(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, operation).message(message)
    }

    /// A setting that can't be used; `message` names the part and the fix.
    pub fn config(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, operation).message(message)
    }

    /// Names the store that failed.
    pub fn store(mut self, store: &'static str) -> Self {
        self.0.store = Some(store);
        self
    }

    /// Says what happened and what to do: one sentence, lower case, without ids, keys or tokens.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Keeps the driver's own error.
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Says that the request may have been carried out although no answer came.
    pub fn maybe_applied(mut self) -> Self {
        self.0.may_have_applied = true;
        self
    }

    /// The same error with another kind, for code that knows more about where the bytes came from.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The store that failed, where it was one.
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
    /// Returns `false` for [`SignInRevoked`](ErrorKind::SignInRevoked): there was no session, and sending the user back to the provider
    /// as usual can go round in circles.
    pub fn is_signed_out(&self) -> bool {
        self.0.kind == ErrorKind::SignedOut
    }

    /// True where the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unavailable
                | ErrorKind::TimedOut
                | ErrorKind::Throttled
                | ErrorKind::ProviderUnavailable
        )
    }

    /// How long the provider asks to be left alone, where it said so (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.refresh_error()?.pause()
    }

    /// Returns what the provider answered to a refresh, if that is why this failed. Its
    /// [`response`](RefreshError::response) has the provider's error code, claims challenge and description.
    pub fn refresh_error(&self) -> Option<&RefreshError> {
        let source: &dyn std::error::Error = self.0.source.as_deref()?;
        source.downcast_ref()
    }

    /// True where the request may have been carried out although the call failed.
    ///
    /// After a sign-out: ask again until it is `Ok`, never assume. After a write: read before writing over it.
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

/// The chain of causes of an error. It prints what their `Display` prints: the `Debug` of a driver's error may hold what was sent.
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

/// Bytes become a [`Value`](crate::Value) without fail; the bound of [`Session::put`](crate::Session::put) asks all the same.
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
    /// A word for it, as labels of figures have it.
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
