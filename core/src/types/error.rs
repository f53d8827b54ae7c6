use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use crate::{ErrorKind, RefreshError};

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

    /// Creates an error of kind [`SignedOut`](ErrorKind::SignedOut). A store returns it if the session of the request has ended. It also
    /// returns it for a sign-in that began before a sign-out and arrives after it (G2). The cache converts that one to
    /// [`SignInRevoked`](ErrorKind::SignInRevoked).
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

    /// The error of a call that needs a task of a tokio runtime, and is made outside of one.
    pub(crate) fn no_runtime(operation: &'static str) -> Self {
        Self::misuse(
            operation,
            "there is no tokio runtime here; call it in a task of one",
        )
    }

    /// Sets the name of the store that failed, such as `redis`. The text of the error then begins with this name. By default, the error
    /// names no store.
    pub fn store(mut self, store: &'static str) -> Self {
        self.0.store = Some(store);
        self
    }

    /// Sets the message: what happened, and what to do. Write one sentence in lower case, without ids, keys and tokens: apps write it to
    /// logs.
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

    /// Returns the name of the store that failed, such as `redis`. Returns `None` if the error was created without [`store`](Self::store),
    /// for example because no store caused it.
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

#[cfg(test)]
mod tests;
