use secrecy::SecretString;

use crate::{Timestamp, TokenSet};

/// The input of [`TokenSource::refresh`](super::TokenSource::refresh): the old tokens, and what the token source requests with their
/// refresh token.
///
/// The cache creates one for each call to the provider. An app creates one only to call a token source without a cache, for example in a
/// test.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RefreshRequest {
    /// The stored tokens, whose refresh token the token source sends. With [`RefreshOptions::spending`](super::RefreshOptions::spending),
    /// they are the tokens of the entry that this option names.
    ///
    /// They always have a refresh token, unless the caller set
    /// [`RefreshOptions::without_refresh_token`](super::RefreshOptions::without_refresh_token). With that option, they may lack one, and
    /// the field is `None` if no tokens are stored.
    pub tokens: Option<TokenSet>,
    /// The resource for which tokens are requested (RFC 8707). `None` if the caller did not set
    /// [`RefreshOptions::resource`](super::RefreshOptions::resource): the request then names no resource.
    pub resource: Option<String>,
    /// The scopes to request (RFC 6749 section 6), as the caller set them with [`RefreshOptions::scopes`](super::RefreshOptions::scopes).
    /// If the list is empty, the token source names no scopes, which means those of the original grant.
    pub scopes: Vec<String>,
    /// The time just before the token request is sent to the provider, on the store's clock. Pass it to [`TokenSet::from_response`], which
    /// counts the lifetime of the new tokens from it. A slow answer then never makes a token seem younger than it is.
    pub sent_at: Timestamp,
}

impl RefreshRequest {
    /// Creates a request for new tokens with the refresh token of `tokens`. If `tokens` is `None`, the request has no refresh token. The
    /// request names no resource and no scopes. The cache calls it; apps need it only to call a token source in a test.
    ///
    /// `sent_at` is the current time on the store's clock: the result of [`TokenCache::now`](crate::TokenCache::now).
    pub const fn new(tokens: Option<TokenSet>, sent_at: Timestamp) -> Self {
        Self {
            tokens,
            resource: None,
            scopes: Vec::new(),
            sent_at,
        }
    }

    /// Sets the resource for which tokens are requested (RFC 8707). By default, the request names no resource.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets the scopes to request (RFC 6749 section 6). By default, and with an empty list, the request names no scopes, which means those
    /// of the original grant.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the refresh token that the token source must send. Returns `None` if [`tokens`](Self::tokens) is `None` or has no refresh
    /// token.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.tokens.as_ref().and_then(TokenSet::refresh_token)
    }
}
