use std::fmt;

/// A promise of token-cache that a check guards, in the field [`Check::promise`](crate::Check::promise). The README of `token-cache` states
/// the promises in full, with their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Sign-out is final: after a sign-out has returned, no read that starts later returns a token of an ended session.
    G1,
    /// No resurrection: a write, a refresh or a sign-in that began before a sign-out and arrives after it is refused. An old logout message
    /// ends no session with a newer authentication.
    G2,
    /// Every operation sends a fixed number of requests. Signing an account out is one request, however many sessions and entries the
    /// account has. A sign-out by `sid` is one request, and one more for each account under the `sid`.
    G3,
    /// No data and no error is lost. An acknowledged write is readable until it expires or is signed out. A failure is never reported as a
    /// miss or as a success.
    G4,
    /// No user reads the data of another: tokens are stored encrypted, and reading them needs the session's ticket and the servers' keys.
    /// The checks of this suite test that no account, session, entry or namespace reads the data of another.
    G5,
    /// One refresh: across all servers, one refresh at a time sends the refresh token of an entry to the provider. No server sends a
    /// refresh token again once its successor is stored.
    G6,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The failure of a check: the behaviour that the check expected of the store, and the one that it observed.
/// [`Check::run_on`](crate::Check::run_on) returns it, and the failed test prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The promise that the store breaks, and the effect on users. [`Check::run_on`](crate::Check::run_on) sets it to the
    /// [`promise`](crate::Check::promise) and the [`hazard`](crate::Check::hazard) of the check.
    ///
    /// `None` if the check could not start, because the store could not be opened or did not return its time. Also `None` in a violation
    /// that [`new`](Self::new) has created.
    pub broken: Option<(Promise, &'static str)>,
    /// The behaviour that the check expected of the store, as text for the author of the store.
    pub expected: String,
    /// The behaviour of the store that the check observed instead, as text for the author of the store.
    pub seen: String,
}

impl Violation {
    /// Creates a violation from the `expected` behaviour of the store and the behaviour that was `seen`. The checks of this suite call it.
    /// Its field [`broken`](Self::broken) is `None`: [`Check::run_on`](crate::Check::run_on) sets it for the violation that a check
    /// returns.
    pub fn new(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            broken: None,
            expected: expected.into(),
            seen: seen.into(),
        }
    }

    /// Returns `true` if the check did not end within its time limit, two minutes by default, because the store did not answer or a
    /// condition never became true. Also returns `true` if the check panicked. Returns `false` for every other violation. After three such
    /// violations of a store, [`main`](crate::main) starts no further check of that store.
    pub fn ran_out_of_time(&self) -> bool {
        self.expected.starts_with("an end within ")
    }

    pub(crate) fn breaking(mut self, promise: Promise, hazard: &'static str) -> Self {
        self.broken = Some((promise, hazard));
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((promise, hazard)) = self.broken {
            write!(f, "{promise} is broken: {hazard}\n  ")?;
        }
        write!(f, "expected: {}\n  seen:     {}", self.expected, self.seen)
    }
}

impl std::error::Error for Violation {}
