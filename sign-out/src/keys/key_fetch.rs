use std::fmt;

use crate::http::FetchError;

/// The choice of when to fetch the providers' signing keys, which verify logout messages (logout tokens and security
/// events). Pass it to [`SignOutRoutesBuilder::key_fetch`](crate::SignOutRoutesBuilder::key_fetch).
///
/// With both variants, fetched keys are used for ten minutes, and for up to an hour if the provider cannot be reached.
/// After that hour, messages of this provider are answered with 503 until its keys can be fetched. Keys that are set
/// with [`ClientRegistration::jwks`](crate::ClientRegistration::jwks) are never fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFetch {
    /// A background task fetches the providers' signing keys when [`build`](crate::SignOutRoutesBuilder::build) creates the
    /// routes, and again every ten minutes. So they are usually cached when a logout message arrives. If a fetch fails,
    /// the task repeats it after 2 to 60 seconds. This is the default. Outside a tokio runtime, `build` starts no task,
    /// and the keys are fetched as with [`OnDemand`](Self::OnDemand).
    Background,
    /// The signing keys of a provider are fetched when one of its logout messages arrives and they are not cached. The
    /// message waits for at most the [timeout for keys](crate::Timeouts::keys). If the keys have not arrived by then,
    /// the response to the message is 503.
    OnDemand,
}

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
