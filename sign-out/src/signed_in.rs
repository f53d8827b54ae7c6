use std::ops::Deref;

use http::Extensions;
use token_cache_core::Session;

/// The living session of a request, as a handler takes it: an extractor for axum and for actix-web.
///
/// It is refused with 401 where nobody is signed in. It needs the layer
/// ([`SignOutRoutes::session_check`](crate::SignOutRoutes::session_check)), which asked the store; without the layer it is
/// refused with 500, so that nobody takes a missing layer for a visitor.
///
/// Where a visitor is fine, a handler takes an `Option` of it in axum, and a `Result<SignedIn, SignedInRejection>` in actix-web (whose
/// `Option` would not tell a visitor from a missing layer).
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a pattern in a handler's arguments"
)]
pub struct SignedIn(pub Session);

impl Deref for SignedIn {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

/// Left in a request's extensions by the layer, whatever it found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionChecked;

/// Why there is no [`SignedIn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedInRejection {
    /// The request came without a ticket.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The request did not pass the layer that finds the session.
    #[error("the layer that finds the session is missing: add `SignOutRoutes::session_check`")]
    MissingLayer,
}

impl SignedIn {
    /// The session that the layer left in a request's extensions.
    ///
    /// # Errors
    /// [`SignedInRejection`] where there is none.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, SignedInRejection> {
        let is_checked = extensions.get::<SessionChecked>().is_some();
        Self::from_session(extensions.get::<Session>(), is_checked)
    }

    pub(crate) fn from_session(
        session: Option<&Session>,
        is_checked: bool,
    ) -> Result<Self, SignedInRejection> {
        match session {
            Some(session) => Ok(Self(session.clone())),
            None if is_checked => Err(SignedInRejection::NotSignedIn),
            None => Err(SignedInRejection::MissingLayer),
        }
    }
}
