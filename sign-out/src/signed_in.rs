use std::ops::Deref;

use http::Extensions;
use token_cache_core::Session;

/// The living session of a request, as a handler takes it: an extractor for axum and for actix-web.
///
/// It is refused with 401 where nobody is signed in. It needs the layer
/// ([`SignOutRoutes::refuse_signed_out`](crate::SignOutRoutes::refuse_signed_out)), which asked the store; without the layer it is
/// refused with 500, so that nobody takes a missing layer for a visitor.
///
/// Where a visitor is fine, a handler takes an `Option` of it in axum, and a `Result<SignedIn, NotSignedIn>` in actix-web (whose
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
pub(crate) struct Checked;

/// Why there is no [`SignedIn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSignedIn {
    /// The request came without a ticket.
    #[error("nobody is signed in")]
    Nobody,
    /// The request did not pass the layer that finds the session.
    #[error("the layer that finds the session is missing: add `SignOutRoutes::refuse_signed_out`")]
    NoLayer,
}

impl SignedIn {
    /// The session that the layer left in a request's extensions.
    ///
    /// # Errors
    /// [`NotSignedIn`] where there is none.
    pub fn of(extensions: &Extensions) -> Result<Self, NotSignedIn> {
        let is_checked = extensions.get::<Checked>().is_some();
        Self::found(extensions.get::<Session>(), is_checked)
    }

    pub(crate) fn found(session: Option<&Session>, is_checked: bool) -> Result<Self, NotSignedIn> {
        match session {
            Some(session) => Ok(Self(session.clone())),
            None if is_checked => Err(NotSignedIn::Nobody),
            None => Err(NotSignedIn::NoLayer),
        }
    }
}
