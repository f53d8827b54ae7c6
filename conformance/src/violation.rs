use std::fmt;

/// What a check guards: see the promises in the documentation of `token-cache`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Final: once a sign-out has returned, no read that starts afterwards returns a token of an ended session.
    G1,
    /// No resurrection: what began before a sign-out and lands after it is refused, and what is newer is spared.
    G2,
    /// A fixed number of requests, however much an account holds.
    G3,
    /// Nothing lost, nothing swallowed.
    G4,
    /// Nobody reads what is not theirs.
    G5,
    /// One refresh at a time, and never again with a spent token.
    G6,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A check that failed: what was expected of the store, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The promise that is broken, and what it leads to; added by [`Check::run_on`](crate::Check::run_on).
    pub broken: Option<(Promise, &'static str)>,
    /// What the store should have done.
    pub expected: String,
    /// What it did.
    pub seen: String,
}

impl Violation {
    /// `expected` did not happen; `seen` did.
    pub fn new(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            broken: None,
            expected: expected.into(),
            seen: seen.into(),
        }
    }

    /// True when the check did not end in its time: the store did not answer, or a condition never came.
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
