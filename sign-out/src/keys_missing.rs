use std::fmt;

use crate::keys::FetchError;

/// The keys of some providers can't be had now ([`SignOutRoutes::fetch_keys`](crate::SignOutRoutes::fetch_keys)).
#[derive(Debug, Clone)]
pub struct KeysMissing(Vec<(String, FetchError)>);

impl KeysMissing {
    pub(crate) fn of(missing: Vec<(String, FetchError)>) -> Result<(), Self> {
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Self(missing))
        }
    }

    /// Whose they are, in the order of the clients.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(issuer, _)| issuer.as_str())
    }
}

impl fmt::Display for KeysMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys are missing")?;
        for (index, (issuer, error)) in self.0.iter().enumerate() {
            let before = if index == 0 { ':' } else { ';' };
            write!(f, "{before} of {issuer:?}: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for KeysMissing {}
