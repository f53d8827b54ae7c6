use secrecy::SecretString;

use crate::{Timestamp, TokenSet};

/// The input of [`TokenSource::refresh`](super::TokenSource::refresh): the old tokens, and what to request with them.
///
/// The cache creates one for each call to the provider. An app creates one only to call a source without a cache, for example in a test.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RefreshRequest {
    /// The stored tokens, whose refresh token is to be sent. They always have one, except with
    /// [`RefreshOptions::without_refresh_token`](super::RefreshOptions::without_refresh_token). Then this is `None` if no entry is stored.
    pub tokens: Option<TokenSet>,
    /// The resource of the new tokens (RFC 8707), or `None` if the caller set no
    /// [`RefreshOptions::resource`](super::RefreshOptions::resource).
    pub resource: Option<String>,
    /// The scopes to request (RFC 6749 section 6). If it is empty, the source requests no scopes, which means those of the original grant.
    pub scopes: Vec<String>,
    /// The time of the request on the store's clock, for [`TokenSet::from_response`]. The lifetime in the answer is counted from it, so
    /// that a slow answer never makes a token seem younger.
    pub sent_at: Timestamp,
}

impl RefreshRequest {
    /// Creates a request for new tokens with the refresh token of `tokens`. `sent_at` is the current time. The request names no resource
    /// and no scopes.
    pub const fn new(tokens: Option<TokenSet>, sent_at: Timestamp) -> Self {
        Self {
            tokens,
            resource: None,
            scopes: Vec::new(),
            sent_at,
        }
    }

    /// Sets the resource of the new tokens (RFC 8707).
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets the scopes to request.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the refresh token to send, or `None` if there are no tokens, or they have no refresh token.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.tokens.as_ref().and_then(TokenSet::refresh_token)
    }
}
