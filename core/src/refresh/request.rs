use secrecy::SecretString;

use crate::{Timestamp, TokenSet};

/// A request to a [`TokenSource`](super::TokenSource) for new tokens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RefreshRequest {
    /// The tokens whose refresh token is spent, or `None` if the source needs no refresh token.
    pub tokens: Option<TokenSet>,
    /// The resource of the new tokens (RFC 8707), if the caller named one.
    pub resource: Option<String>,
    /// The scopes to request (RFC 6749 section 6); empty for those of the original grant.
    pub scopes: Vec<String>,
    /// The time of the request on the store's clock. The lifetime in the answer is counted from it, so that a slow answer never
    /// makes a token seem younger.
    pub sent_at: Timestamp,
}

impl RefreshRequest {
    /// Returns a request for new tokens with the refresh token of `tokens`, at `sent_at`.
    pub const fn new(tokens: Option<TokenSet>, sent_at: Timestamp) -> Self {
        Self {
            tokens,
            resource: None,
            scopes: Vec::new(),
            sent_at,
        }
    }

    /// Sets the resource.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets the scopes.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the refresh token to spend.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.tokens.as_ref().and_then(TokenSet::refresh_token)
    }
}
