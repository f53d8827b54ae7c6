use std::ops::Deref;

use http::Extensions;
use token_cache_core::Session;

/// The live session of a request, as an extractor for handlers of axum and actix-web. It dereferences to [`Session`].
///
/// The [session check](crate::SessionCheck) must run before the handler, since it reads the session from the cache. Add
/// it with [`SignOutRoutes::session_check`](crate::SignOutRoutes::session_check) in axum, or
/// `actix::ActixSignOut::session_check` in actix-web. If the request has no live session, the response is 401. If the
/// session check did not run, the response is 500, so that a missing check is not mistaken for an anonymous user.
///
/// A handler for anonymous users takes an `Option<SignedIn>` in axum. In actix-web it takes a `Result<SignedIn,
/// SignedInRejection>`, because actix-web's `Option` would hide a missing session check.
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

/// Marks a request that passed the layer, in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionChecked;

/// The reason why a handler gets no [`SignedIn`]. axum and actix-web convert it to a response with status 401 or 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedInRejection {
    /// The [session check](crate::SessionCheck) ran, and the request has no live session: the user is anonymous. The
    /// response is 401.
    #[error("not signed in")]
    NotSignedIn,
    /// The [session check](crate::SessionCheck) did not run for the request: the app does not apply its layer or
    /// middleware to the route of the handler. The response is 500.
    #[error("the session check is missing; add the layer `SignOutRoutes::session_check`")]
    MissingLayer,
}

impl SignedIn {
    /// Returns the live session that the [session check](crate::SessionCheck) stored in a request's extensions. Use it
    /// in a framework for which this crate has no extractor.
    ///
    /// # Errors
    /// - [`NotSignedIn`](SignedInRejection::NotSignedIn) if the session check ran, and the request has no live session.
    /// - [`MissingLayer`](SignedInRejection::MissingLayer) if the session check did not run.
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
