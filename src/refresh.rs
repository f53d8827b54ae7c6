//! Refreshing tokens: one call to the provider for each refresh token in the whole fleet.
//!
//! An app passes a [`TokenSource`] to [`Session::get_or_refresh`](crate::Session::get_or_refresh). The crate
//! `token-cache-providers` has sources for the crates `openidconnect` and `oauth2`. A [`RefreshPolicy`] sets the times, and a
//! [`Revocation`] what is revoked after a sign-out (RFC 7009).

#[doc(inline)]
pub use token_cache_core::{
    AfterLostAnswer, ErrorResponse, RefreshError, RefreshErrorKind, RefreshOptions, RefreshPolicy,
    RefreshRequest, Revocation, Revoking, TokenSource,
};
