use std::fmt;

use crate::http::FetchError;

/// The error of [`SignOutRoutes::fetch_keys`](crate::SignOutRoutes::fetch_keys): the signing keys of at least one
/// provider are not cached and cannot be fetched now. Its text names each of these issuers and the reason.
///
/// `{:?}` prints the same sentence as `{}`, so that an error returned from `main` is readable. `{:#?}` prints the
/// struct.
#[derive(Clone)]
pub struct KeyFetchError(Vec<(String, FetchError)>);

impl KeyFetchError {
    pub(crate) fn from_failures(failed: Vec<(String, FetchError)>) -> Result<(), Self> {
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Self(failed))
        }
    }

    /// Returns the issuers whose signing keys cannot be fetched now, in the order in which the clients were added to
    /// the routes. An issuer with several clients can appear several times. The keys of all other issuers are
    /// available.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(issuer, _)| issuer.as_str())
    }
}

impl fmt::Display for KeyFetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot fetch the signing keys")?;
        for (index, (issuer, error)) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { ";" };
            write!(f, "{before} of {issuer:?}, because {error}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyFetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        f.debug_tuple("KeyFetchError").field(&self.0).finish()
    }
}

impl std::error::Error for KeyFetchError {}
