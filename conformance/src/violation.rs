use std::fmt;

/// A promise of token-cache that a check guards. It is the field [`Check::promise`](crate::Check::promise). The README of `token-cache`
/// states the promises in full, with their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Sign-out is final: after a sign-out has returned, no read that starts later returns a token of an ended session.
    G1,
    /// Nothing comes back: a write that began before a sign-out and arrives after it is refused. Newer sessions continue.
    G2,
    /// Every operation sends a fixed number of requests. Signing an account out is one request, however much the account holds.
    G3,
    /// No data and no error is lost. An acknowledged write is readable until it expires or is signed out, and a failure is never reported
    /// as a miss or as a success.
    G4,
    /// No user reads the data of another.
    G5,
    /// One refresh runs at a time, and a spent refresh token is never sent again.
    G6,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The failure of a check: the expected and the observed behaviour of the store. [`Check::run_on`](crate::Check::run_on) returns it, and
/// the failed test prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The broken promise and its effect on users. [`Check::run_on`](crate::Check::run_on) adds them. It is `None` if the store could not
    /// be opened or did not return its time, and after [`new`](Self::new).
    pub broken: Option<(Promise, &'static str)>,
    /// The behaviour that the check expected.
    pub expected: String,
    /// The behaviour that the check observed.
    pub seen: String,
}

impl Violation {
    /// Creates a violation from the expected and the observed behaviour of the store. `broken` is `None`.
    ///
    /// A check returns it without naming its promise. [`Check::run_on`](crate::Check::run_on) then sets `broken` to the check's promise and
    /// its effect on users.
    pub fn new(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            broken: None,
            expected: expected.into(),
            seen: seen.into(),
        }
    }

    /// Returns `true` if the check did not end in time: the store did not answer, or a condition never became true. It also returns `true`
    /// if the check panicked.
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
