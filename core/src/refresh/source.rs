use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{RefreshError, RefreshRequest};
use crate::TokenSet;

/// The effect of revoking a token at the provider (RFC 7009 section 2.1 leaves it to the provider).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new variant needs a decision in a sign-out that handles it"
)]
pub enum Revocation {
    /// A sign-out revokes nothing: the provider has no revocation endpoint, or the app does not want it. Only a refresh that a
    /// sign-out overtook tries to revoke its new token, because no other code will ever have that token.
    #[default]
    None,
    /// The token that is sent, and the tokens issued with it.
    Token,
    /// Everything that the user ever granted this app, including other browsers' tokens (Google, some Auth0 tenants).
    Grant,
}

/// A source of new tokens: a provider's token endpoint and its revocation endpoint.
///
/// A closure `move |request| async move { … }` is a source that cannot revoke. The crate `token-cache-providers` has complete
/// ones.
///
/// Each call runs in a task of its own, under a deadline. A panic in it becomes an error for all waiting callers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
/// # use token_cache_core::{AccountId, EntryKey, SignIn, Timestamp, TokenCache};
/// use token_cache_core::{RefreshError, RefreshRequest, TokenSet};
///
/// let provider = |request: RefreshRequest| async move {
///     assert!(request.refresh_token().is_some());
///     let response = serde_json::json!({
///         "access_token": "at-2", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-2",
///     });
///     TokenSet::from_response(&response, request.sent_at)
///         .map_err(|_| RefreshError::malformed("the token response cannot be read"))
/// };
/// # let cache = TokenCache::in_memory().await?;
/// # let ada = AccountId::new("https://id.example", "248289761001")?;
/// # let session = cache.sign_in(SignIn::new(ada, &cache.start_sign_in()?)).await?;
/// # let api = EntryKey::resource("https://api.example")?;
/// # session.put(&api, TokenSet::new("at-1")?.with_refresh_token("rt-1").with_expires_at(Timestamp::from_secs(1))).await?;
/// let tokens = session.get_or_refresh(&api, provider).await?;
/// # Ok(()) }
/// ```
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// Returns new tokens for old ones (RFC 6749 section 6). Sends the request once.
    ///
    /// # Errors
    /// A [`RefreshError`], whose kind decides what happens to the session.
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError>;

    /// Revokes a refresh token (RFC 7009).
    ///
    /// # Errors
    /// A [`RefreshError`]. No caller waits for it, and it is counted.
    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError>;

    /// Returns what [`revoke`](Self::revoke) does at this provider.
    fn revocation(&self) -> Revocation;
}

#[async_trait]
impl<F, Answer> TokenSource for F
where
    F: Fn(RefreshRequest) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<TokenSet, RefreshError>> + Send + 'static,
{
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        self(request).await
    }

    async fn revoke(&self, _refresh_token: SecretString) -> Result<(), RefreshError> {
        Err(RefreshError::refused(
            "a closure as a token source cannot revoke tokens",
        ))
    }

    fn revocation(&self) -> Revocation {
        Revocation::None
    }
}

#[async_trait]
impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError> {
        (**self).refresh(request).await
    }

    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError> {
        (**self).revoke(refresh_token).await
    }

    fn revocation(&self) -> Revocation {
        (**self).revocation()
    }
}
