use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use crate::RefreshError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The result of a fallible function of `token-cache`. Its error type is [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of an operation: what failed, why, and what to do about it.
///
/// An app matches on the [`kind`](Self::kind), which says what to do next. Authors of a store, a key provider or a token source create
/// errors with [`Error::new`](Self::new).
///
/// A failed operation returns an error, and never `None` as for a missing entry (G4). The text of an error contains no token, key, ticket
/// secret or id (G5).
///
/// ```
/// use token_cache::{Error, ErrorKind};
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

/// The kind of an [`Error`]. It says what the app does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session has ended: by a sign-out, at the end of its lifetime, because the account had too many sessions, or because the provider
    /// refused its refresh token. Send the user to sign in again.
    SignedOut,
    /// The sign-in is refused, and no session was begun. Show a page that offers a new sign-in with `prompt=login`.
    ///
    /// Do not redirect automatically. Without that parameter, a provider may answer with the same authentication, which is refused again.
    ///
    /// The causes:
    /// - A sign-out came after the user's authentication, or ended the provider's session that the `sid` names (G2).
    /// - The sign-in took longer than [`sign_in_timeout`](crate::TokenCacheBuilder::sign_in_timeout), or claims to have begun in the
    ///   future. A sign-out in between could have been missed.
    /// - The authentication is older than the `max_age` of the authorization request, or the ID token does not prove its age.
    /// - The time `session_expiry` of the ID token has passed.
    SignInRevoked,
    /// The store cannot be reached, or has no primary server at present, for example during a failover. Try again later.
    Unavailable,
    /// The store, the key provider, or another server's refresh did not finish in time. Try again later.
    TimedOut,
    /// The store asks for fewer requests, as DynamoDB does when a table's throughput is exceeded. Try again later.
    Throttled,
    /// The store has no space left, and nothing was written. Sign-outs still work. Give the store more space.
    Full,
    /// The store refuses the credentials of this app server, or does not permit them the command that was sent. Correct the credentials or
    /// their permissions.
    Denied,
    /// A setting is wrong, such as the store's URL, the secret, or the configuration of the store itself. The message names the setting.
    Config,
    /// The value to store is over the store's limit ([`Capabilities::max_entry_bytes`](crate::Capabilities::max_entry_bytes)). No request
    /// was sent.
    TooLarge,
    /// Bytes in the store are not what this release of `token-cache` writes. They were changed, or another program or a later release wrote
    /// them. A ticket that a later release issued causes this error too.
    ///
    /// The session may still live, so keep the ticket.
    Corrupt,
    /// A text is not a [`Ticket`](crate::Ticket) or [`StartedSignIn`](crate::StartedSignIn) as `token-cache` issues it: it was changed,
    /// truncated, or comes from elsewhere. No request was sent to the store.
    ///
    /// No app server can use the text. Drop it, and have the user sign in again.
    InvalidTicket,
    /// An entry, a ticket or a started sign-in was encrypted under a key that this app server's [`KeyRing`](crate::KeyRing) does not have.
    ///
    /// The session may still live, so keep the ticket. Give every app server the same keys.
    KeyMissing,
    /// The call needs an optional part that the store does not have, such as the index of `sid`s or background sessions.
    Unsupported,
    /// A refresh found no tokens under the [entry key](crate::EntryKey), or tokens without a refresh token. Store tokens with a refresh
    /// token, or have the user sign in again.
    NotRefreshable,
    /// The provider cannot be reached, or asks for no further requests for a while. The session continues. Try again, after the time of
    /// [`Error::retry_after`] if there is one.
    ProviderUnavailable,
    /// The provider refuses this app: for example its client secret, or the scopes that it requests. The session continues. Correct the
    /// app's registration at the provider.
    ProviderRefused,
    /// The provider requires an action of the user before it returns tokens: consent, a second factor, a new password. The session
    /// continues.
    ///
    /// Send the user to the provider's authorization endpoint. If [`Error::refresh_error`] has a claims challenge, add it to the
    /// authorization request.
    InteractionRequired,
    /// The provider's response to a refresh is not a token response, or cannot be used. The session continues.
    ProviderMalformed,
    /// The app called a function with an invalid value, such as an empty subject or a lifetime of zero. Correct the call.
    Misuse,
    /// Any other failure: a fault of this library, of a driver, or of the machine. Report it with its causes.
    Unexpected,
}

impl Error {
    /// Creates an error of `kind`. `operation` is what failed, as in "read an entry": it completes the sentence "could not …".
    ///
    /// These methods add to the error: [`store`](Self::store), [`message`](Self::message), [`with_source`](Self::with_source) and
    /// [`maybe_applied`](Self::maybe_applied). Without them, the text of the error is `operation` and the default sentence of `kind`.
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

    /// Creates an error of kind [`SignedOut`](ErrorKind::SignedOut). A store returns it if the session has ended, or if a sign-out overtook
    /// the sign-in.
    ///
    /// `operation` is what failed, as in "read an entry".
    pub fn signed_out(operation: &'static str) -> Self {
        Self::new(ErrorKind::SignedOut, operation)
    }

    /// Creates an error of kind [`Misuse`](ErrorKind::Misuse): the caller passed an invalid value.
    ///
    /// `operation` is what failed, as in "read an entry". `message` names the invalid value and says how to correct it.
    pub fn misuse(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Misuse, operation).message(message)
    }

    /// Creates an error of kind [`Config`](ErrorKind::Config): a setting is wrong.
    ///
    /// `operation` is what failed, as in "open the cache". `message` names the setting and says how to correct it.
    pub fn config(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, operation).message(message)
    }

    /// Sets the name of the store that failed, such as `redis`. The text of the error then begins with this name. By default, the error
    /// names no store.
    pub fn store(mut self, store: &'static str) -> Self {
        self.0.store = Some(store);
        self
    }

    /// Sets the message: what happened, and what to do. Write one sentence in lower case, without ids, keys and tokens.
    ///
    /// It replaces the default sentence of the error's [`kind`](Self::kind), such as "the store did not answer in time; try again".
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Sets the cause of the error, such as an error of the store's driver. By default, the error has no cause. `Debug` prints the text of
    /// the cause, so it must contain no id, key or token.
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Marks that the store may have carried out the request, although the operation failed. [`may_have_applied`](Self::may_have_applied)
    /// then returns `true`. By default, it returns `false`.
    ///
    /// A store calls it if the request may have been sent, and no answer to it arrived.
    pub fn maybe_applied(mut self) -> Self {
        self.0.may_have_applied = true;
        self
    }

    /// Returns the same error with another kind, for code that knows more about the origin of the bytes.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Returns the kind of the error, which says what the app does next.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed, such as "read an entry".
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Returns the name of the store that failed, such as `redis`. Returns `None` if no store caused the error.
    ///
    /// ```
    /// use token_cache::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Unavailable, "read an entry").store("redis");
    /// assert_eq!(error.store_name(), Some("redis"));
    /// assert_eq!(Error::config("open the cache", "no secret").store_name(), None);
    /// ```
    pub fn store_name(&self) -> Option<&'static str> {
        self.0.store
    }

    /// Returns `true` if the kind is [`SignedOut`](ErrorKind::SignedOut): the session has ended, and the user must sign in again.
    ///
    /// Returns `false` for every other kind, also for [`SignInRevoked`](ErrorKind::SignInRevoked): there, no session was begun. An
    /// automatic redirect to the provider can then cause an endless redirect loop.
    pub fn is_signed_out(&self) -> bool {
        self.0.kind == ErrorKind::SignedOut
    }

    /// Returns `true` if the same call may succeed later: for the kinds [`Unavailable`](ErrorKind::Unavailable),
    /// [`TimedOut`](ErrorKind::TimedOut), [`Throttled`](ErrorKind::Throttled) and [`ProviderUnavailable`](ErrorKind::ProviderUnavailable).
    /// Returns `false` for every other kind.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unavailable
                | ErrorKind::TimedOut
                | ErrorKind::Throttled
                | ErrorKind::ProviderUnavailable
        )
    }

    /// Returns how long the provider asks this app to send no further requests (the HTTP header `Retry-After`). Returns `None` if the
    /// provider did not ask for that, or if the error has another cause.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refresh_error()?.pause()
    }

    /// Returns the provider's failure that caused this error, or `None` if the error has another cause.
    ///
    /// [`RefreshError::response`] has the provider's error code, claims challenge and description.
    pub fn refresh_error(&self) -> Option<&RefreshError> {
        let source: &dyn std::error::Error = self.0.source.as_deref()?;
        source.downcast_ref()
    }

    /// Returns `true` if the store may have carried out the request, although the call failed. Returns `false` if the error was not marked
    /// with [`maybe_applied`](Self::maybe_applied), for example because the store refused the request.
    ///
    /// Repeat a sign-out until it returns `Ok`, whatever this method returns. After a failed write, read the entry before you write it
    /// again.
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

/// Exists because [`Session::put`](crate::Session::put) accepts every type whose conversion error converts into [`Error`]. The conversion
/// of bytes cannot fail.
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
    /// Returns the name of the kind in snake case, such as `signed_out`. Metrics use it as the value of the label `kind`.
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
