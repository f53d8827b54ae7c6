use std::fmt;

use crate::keys::FetchError;

/// The keys of some providers can't be had now ([`SignOutRoutes::fetch_keys`](crate::SignOutRoutes::fetch_keys)).
///
/// `{:?}` prints the same sentence as `{}`, so that an error returned from `main` prints a sentence. `{:#?}` prints the struct.
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

    /// Whose they are, in the order of the clients.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(issuer, _)| issuer.as_str())
    }
}

impl fmt::Display for KeyFetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys are missing")?;
        for (index, (issuer, error)) in self.0.iter().enumerate() {
            let before = if index == 0 { ':' } else { ';' };
            write!(f, "{before} of {issuer:?}: {error}")?;
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
