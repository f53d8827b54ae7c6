//! Sessions for web APIs that call other APIs on behalf of their caller (RFC 7523, and the on-behalf-of flow of Entra ID).
//!
//! [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) returns the session of an assertion, the access token that the API was
//! called with. [`TokenCache::application`](crate::TokenCache::application) returns the session of the app itself, for tokens that the
//! client credentials grant returns (RFC 6749 section 4.4).

#[doc(inline)]
pub use token_cache_core::OnBehalfOf;
