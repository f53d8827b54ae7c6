use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::RefreshPolicy;
use crate::{EntryKey, TokenSet};

/// The options of one call of [`Session::get_or_refresh_with`](crate::Session::get_or_refresh_with): which refresh token to send, and
/// what to request with it.
///
/// By default, a refresh sends the entry's own refresh token, and requests no resource and no scopes.
///
/// ```
/// use token_cache_core::{EntryKey, RefreshOptions};
///
/// // Tokens for one API, by the refresh token that is stored with the tokens of the sign-in.
/// let options = RefreshOptions::new()
///     .spending(EntryKey::new("sign-in")?)
///     .resource("https://mail.example")
///     .scopes(["mail.read"]);
/// # Ok::<(), token_cache_core::Error>(())
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
    /// Creates the default options: a refresh by the entry's own refresh token, for the original grant.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the refresh token of another entry of the session, under `key`. By default, the entry's own one is sent.
    ///
    /// The new access token is stored under the requested key, without a refresh token. If the provider returns a new refresh token, it is
    /// stored under `key`. The refresh token is never sent twice at once, however many entries use it (G6).
    pub fn spending(mut self, key: EntryKey) -> Self {
        self.spends = Some(key);
        self
    }

    /// Requests tokens for a resource (RFC 8707). By default, the request names none.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Requests these scopes (RFC 6749 section 6). By default, the request names none, which means those of the original grant.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Calls the source even if no refresh token is stored: for client credentials (RFC 6749 section 4.4), or an exchange of an assertion
    /// (RFC 8693). By default, the call then fails with [`NotRefreshable`](crate::ErrorKind::NotRefreshable).
    ///
    /// One server calls the source, and the others wait for its result.
    pub fn without_refresh_token(mut self) -> Self {
        self.without_refresh_token = true;
        self
    }

    /// Refreshes if `access_token` is the stored one, even if it has not expired: a resource has answered 401 to it (RFC 6750
    /// section 3.1, `invalid_token`).
    ///
    /// All callers that name the same access token, on all servers, share one refresh. If the stored access token is another one,
    /// it is returned as usual. The rejected token is never returned: if the provider is unavailable, the call fails. If a
    /// resource rejects one new access token after another, each server calls the provider at most once in the policy's
    /// [`pause`](RefreshPolicy::pause).
    ///
    /// ```
    /// # use token_cache_core::{EntryKey, RefreshOptions, Result, Session, TokenSet, TokenSource};
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
