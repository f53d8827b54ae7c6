use crate::EntryKey;

/// What one refresh asks for: see [`Session::get_or_refresh_with`](crate::Session::get_or_refresh_with).
///
/// ```
/// use token_cache_core::{EntryKey, RefreshOptions};
///
/// // Tokens for one API, by the refresh token that lies with those of the sign-in.
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
}

impl RefreshOptions {
    /// A refresh by the entry's own refresh token, for what was granted at first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Spends the refresh token of another entry of the session. However many entries do, it is never sent twice at once (G6).
    pub fn spending(mut self, key: EntryKey) -> Self {
        self.spends = Some(key);
        self
    }

    /// Asks for tokens for a resource (RFC 8707).
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Asks for these scopes (RFC 6749 section 6).
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Asks a source that needs no refresh token: client credentials (RFC 6749 section 4.4), an exchange of an assertion
    /// (RFC 8693). One server asks, and the others wait for what it gets.
    pub fn without_refresh_token(mut self) -> Self {
        self.without_refresh_token = true;
        self
    }
}
