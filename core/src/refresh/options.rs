use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::RefreshPolicy;
use crate::{EntryKey, TokenSet};

/// The options of one call of [`Session::get_or_refresh_with`](crate::Session::get_or_refresh_with): which refresh token a refresh sends,
/// and what it requests with it.
///
/// By default, a refresh sends the refresh token of the requested entry, and requests no particular resource and no particular scopes.
///
/// ```
/// use token_cache::{EntryKey, refresh::RefreshOptions};
///
/// // Tokens for one API, by the refresh token that is stored with the tokens of the sign-in.
/// let options = RefreshOptions::new()
///     .spending(EntryKey::new("sign-in")?)
///     .resource("https://mail.example")
///     .scopes(["mail.read"]);
/// # Ok::<(), token_cache::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RefreshOptions {
    pub(super) spends: Option<EntryKey>,
    pub(super) resource: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) without_refresh_token: bool,
    pub(super) rejected: Option<SecretString>,
}

impl RefreshOptions {
    /// Creates the default options: a refresh sends the refresh token of the requested entry, and requests the scopes of the original
    /// grant.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the entry whose refresh token a refresh sends: the entry of the same session under `key`. If that entry is missing or has no
    /// refresh token, the refresh fails with [`NotRefreshable`](crate::ErrorKind::NotRefreshable), unless
    /// [`without_refresh_token`](Self::without_refresh_token) is set. By default, the refresh token of the requested entry is sent.
    ///
    /// The new access token is stored in the requested entry, without a refresh token. If the provider returns a new refresh token, that
    /// one is stored in the entry under `key`. Even if many entries use one refresh token, one refresh at a time sends it (G6).
    pub fn spending(mut self, key: EntryKey) -> Self {
        self.spends = Some(key);
        self
    }

    /// Sets the resource for which a refresh requests tokens (RFC 8707). By default, the request names no resource.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets the scopes that a refresh requests (RFC 6749 section 6). By default, and with an empty list, the request names no scopes, which
    /// means those of the original grant.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Allows a refresh to call the [`TokenSource`](super::TokenSource) even if the requested entry is missing or has no refresh token. Use
    /// it for client credentials (RFC 6749 section 4.4), or to exchange an assertion (RFC 8693).
    ///
    /// By default, a call that finds no refresh token fails with [`NotRefreshable`](crate::ErrorKind::NotRefreshable). With this option,
    /// one server calls the token source, and the others wait for its result.
    pub fn without_refresh_token(mut self) -> Self {
        self.without_refresh_token = true;
        self
    }

    /// Requests a refresh because a resource has rejected `access_token`: the resource answered 401 with `invalid_token` (RFC 6750 section
    /// 3.1). If `access_token` is the stored one, the refresh takes place even if the token has not expired. By default, only tokens that
    /// are due are refreshed.
    ///
    /// All callers that pass the same access token, on all servers, share one refresh. If another access token is stored by now, it is
    /// returned, after a refresh if it is due.
    ///
    /// The rejected token is never returned: if the provider is unavailable, the call fails. If a resource rejects one new access token
    /// after another, each server calls the provider at most once per [`pause`](RefreshPolicy::pause), one second by default. In between,
    /// the call fails with [`ProviderRefused`](crate::ErrorKind::ProviderRefused).
    ///
    /// ```
    /// # use token_cache::{EntryKey, Result, Session, TokenSet, refresh::{RefreshOptions, TokenSource}};
    /// # async fn call_api(session: &Session, key: &EntryKey, source: impl TokenSource, rejected: &TokenSet) -> Result<TokenSet> {
    /// let options = RefreshOptions::new().rejected(rejected.access_token().clone());
    /// let tokens = session.get_or_refresh_with(key, source, options).await?; // then try the resource once more
    /// # Ok(tokens) }
    /// ```
    pub fn rejected(mut self, access_token: SecretString) -> Self {
        self.rejected = Some(access_token);
        self
    }

    /// Returns `true` if the access token of `tokens` was rejected.
    pub(super) fn rejects(&self, tokens: &TokenSet) -> bool {
        let stored = tokens.access_token().expose_secret();
        self.rejected
            .as_ref()
            .is_some_and(|rejected| rejected.expose_secret() == stored)
    }

    /// Returns the lifetime of tokens that have none of their own, if they can be refreshed at its end.
    pub(super) fn default_lifetime(
        &self,
        tokens: &TokenSet,
        policy: &RefreshPolicy,
    ) -> Option<Duration> {
        let is_refreshable =
            tokens.refresh_token().is_some() || self.spends.is_some() || self.without_refresh_token;
        policy.default_lifetime.filter(|_| is_refreshable)
    }
}
