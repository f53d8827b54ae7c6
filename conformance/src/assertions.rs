use std::fmt::Debug;

use token_cache_core::{Error, ErrorKind};

use crate::Violation;

/// Assertions about the result of a call.
pub(crate) trait Assertions<T>: Sized {
    /// Returns the result of a call that must succeed.
    fn should_work(self, what: &str) -> Result<T, Violation>;

    /// Returns the error of a call that must fail with this kind.
    fn should_fail_with(self, kind: ErrorKind, what: &str) -> Result<Error, Violation>
    where
        T: Debug;

    /// Checks that a sign-in is refused because a sign-out came after the authentication.
    fn should_be_revoked(self, what: &str) -> Result<(), Violation>
    where
        T: Debug,
    {
        self.should_fail_with(ErrorKind::SignInRevoked, what)
            .map(drop)
    }

    /// Checks that a call is refused because the session has ended.
    fn should_be_signed_out(self, what: &str) -> Result<(), Violation>
    where
        T: Debug,
    {
        self.should_fail_with(ErrorKind::SignedOut, what).map(drop)
    }
}

impl<T> Assertions<T> for Result<T, Error> {
    fn should_work(self, what: &str) -> Result<T, Violation> {
        self.map_err(|error| {
            Violation::new(
                format!("{what} works"),
                format!("{:?}: {error}", error.kind()),
            )
        })
    }

    fn should_fail_with(self, kind: ErrorKind, what: &str) -> Result<Error, Violation>
    where
        T: Debug,
    {
        match self {
            Err(error) if error.kind() == kind => Ok(error),
            Err(error) => Err(Violation::new(
                format!("{what} fails with {kind:?}"),
                format!("{:?}: {error}", error.kind()),
            )),
            Ok(answer) => Err(Violation::new(
                format!("{what} fails with {kind:?}"),
                format!("Ok({answer:?})"),
            )),
        }
    }
}

/// Checks that `seen` equals `expected`.
pub(crate) fn should_equal<T: PartialEq + Debug>(
    seen: &T,
    expected: &T,
    what: &str,
) -> Result<(), Violation> {
    if seen == expected {
        return Ok(());
    }
    Err(Violation::new(
        format!("{what}: {expected:?}"),
        format!("{seen:?}"),
    ))
}

/// Checks a condition. If it does not hold, the violation has the texts `expected` and `seen`.
pub(crate) fn should_hold(holds: bool, expected: &str, seen: &str) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation::new(expected, seen))
    }
}
