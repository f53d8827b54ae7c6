//! Sessions for web APIs that call other APIs on behalf of their caller (RFC 7523, and the on-behalf-of flow of Entra ID), and for the app
//! itself.
//!
//! - [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) takes an [`OnBehalfOf`]: the access token that the API was called with.
//!   It returns the session in which the API stores its own tokens for that user.
//! - [`TokenCache::application`](crate::TokenCache::application) returns the session of the app itself, for tokens of the client
//!   credentials grant (RFC 6749 section 4.4).

#[doc(inline)]
pub use token_cache_core::OnBehalfOf;
