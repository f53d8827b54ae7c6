//! Refreshing tokens at a provider. Across all app servers, one refresh at a time sends the refresh token of an entry to the provider (G6).
//!
//! - An app passes a [`TokenSource`], the client of its provider, to [`Session::get_or_refresh`](crate::Session::get_or_refresh). The crate
//!   `token-cache-providers` has token sources for clients of the crates `openidconnect` and `oauth2`.
//! - A [`RefreshPolicy`] sets the times and limits of all refreshes. [`RefreshOptions`] set the resource and the scopes that one call
//!   requests, and the refresh token that it sends.
//! - [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) also revokes a refresh token at the provider (RFC 7009).

#[doc(inline)]
pub use token_cache_core::{
    AfterLostAnswer, ErrorResponse, RefreshError, RefreshErrorKind, RefreshOptions, RefreshPolicy,
    RefreshRequest, Revocation, Revoking, TokenSource,
};
