use std::fmt::Debug;

use token_cache_core::{Error, ErrorKind};

use crate::Violation;

/// What a check expects of a call.
pub(crate) trait Should<T>: Sized {
    /// The call succeeds.
    fn should_work(self, what: &str) -> Result<T, Violation>;

    /// The call fails with this kind of error.
    fn should_fail_with(self, kind: ErrorKind, what: &str) -> Result<Error, Violation>
    where
        T: Debug;

    /// The sign-in is refused, since a sign-out came after the authentication.
    fn should_be_revoked(self, what: &str) -> Result<(), Violation>
    where
        T: Debug,
    {
        self.should_fail_with(ErrorKind::SignInRevoked, what)
            .map(drop)
    }

    /// The call is refused as signed out.
    fn should_be_signed_out(self, what: &str) -> Result<(), Violation>
    where
        T: Debug,
    {
        self.should_fail_with(ErrorKind::SignedOut, what).map(drop)
    }
}

impl<T> Should<T> for Result<T, Error> {
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

/// `seen` is what was expected.
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

/// `holds`, or else this was expected and that was seen.
pub(crate) fn should_hold(holds: bool, expected: &str, seen: &str) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation::new(expected, seen))
    }
}
