use secrecy::SecretString;

use crate::{Timestamp, TokenSet};

/// What a [`TokenSource`](super::TokenSource) is asked for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RefreshRequest {
    /// The tokens whose refresh token is spent; none where the source needs no refresh token.
    pub tokens: Option<TokenSet>,
    /// The resource the new tokens are for (RFC 8707), where the caller named one.
    pub resource: Option<String>,
    /// The scopes to ask for (RFC 6749 section 6); empty for those that were granted at first.
    pub scopes: Vec<String>,
    /// The moment of the request on the store's clock: what the lifetime in the answer is counted from, so that a slow answer
    /// makes a token older and never younger.
    pub sent_at: Timestamp,
}

impl RefreshRequest {
    /// Asks for new tokens with the refresh token of `tokens`, at `sent_at`.
    pub const fn new(tokens: Option<TokenSet>, sent_at: Timestamp) -> Self {
        Self {
            tokens,
            resource: None,
            scopes: Vec::new(),
            sent_at,
        }
    }

    /// For a resource.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// With scopes.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The refresh token to spend.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.tokens.as_ref().and_then(TokenSet::refresh_token)
    }
}
