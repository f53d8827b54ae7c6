use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{RefreshError, RefreshRequest};
use crate::TokenSet;

/// The effect of revoking a refresh token at the provider (RFC 7009 section 2.1 leaves it to the provider). [`TokenSource::revocation`]
/// returns it.
///
/// It decides whether [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) revokes the session's refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a new variant needs a decision in a sign-out that handles it"
)]
pub enum Revocation {
    /// [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) revokes nothing: the provider has no revocation endpoint, or
    /// the app does not want its tokens to be revoked.
    ///
    /// A refresh still calls [`TokenSource::revoke`] for a new refresh token that it cannot store, because no other code will ever have
    /// that token.
    #[default]
    None,
    /// Revoking a refresh token ends it and the tokens that were issued with it, and no tokens of other sign-ins.
    /// [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) revokes the refresh token.
    Token,
    /// Revoking a refresh token ends everything that the user ever granted this app, including the tokens of other browsers (Google, some
    /// Auth0 tenants). [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) revokes the refresh token only if the store
    /// confirms that no other session of the account lives.
    Grant,
}

/// A source of new tokens: the client of a provider's token endpoint and revocation endpoint. The app passes it to
/// [`Session::get_or_refresh`](crate::Session::get_or_refresh).
///
/// A closure `move |request| async move { … }` is a token source that cannot revoke. The crate `token-cache-providers` has token sources
/// that refresh and revoke.
///
/// Each call of a token source runs in a task of its own. After the [`provider_timeout`](super::RefreshPolicy::provider_timeout) or the
/// [`revocation_timeout`](super::RefreshPolicy::revocation_timeout), the task is aborted. A panic in the task becomes an error for all
/// waiting callers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// # use token_cache::{AccountId, EntryKey, SignIn, Timestamp, TokenCache};
/// use token_cache::{TokenSet, refresh::{RefreshError, RefreshRequest}};
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
    /// Sends the refresh token of `request` to the provider, and returns the new tokens (RFC 6749 section 6). A request can lack a refresh
    /// token only if the caller set [`RefreshOptions::without_refresh_token`](super::RefreshOptions::without_refresh_token). The
    /// implementation then uses another grant, such as client credentials.
    ///
    /// An implementation must send the HTTP request once, without a retry. After a first request, the provider may have used the refresh
    /// token up, and may revoke all tokens of the sign-in if it is sent again. Across all servers, one call at a time sends the refresh
    /// token of an entry (G6).
    ///
    /// If the new tokens lack a refresh token or an ID token, the cache takes it from the old tokens (RFC 6749 section 6). If they lack
    /// scopes, the cache takes those of `request`, or else those of the old tokens. With
    /// [`RefreshOptions::spending`](super::RefreshOptions::spending), it takes nothing from the old tokens, since the new ones are for
    /// another entry.
    ///
    /// # Errors
    /// A [`RefreshError`], whose [kind](super::RefreshErrorKind) decides whether the session continues.
    async fn refresh(&self, request: RefreshRequest) -> Result<TokenSet, RefreshError>;

    /// Revokes `refresh_token` at the provider (RFC 7009). An implementation that cannot revoke tokens returns an error.
    ///
    /// [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) calls it after the sign-out. A refresh calls it for a new
    /// refresh token that cannot be stored, because its session was signed out or the token is too large.
    ///
    /// # Errors
    /// A [`RefreshError`], which the cache logs. A sign-out stays final nevertheless. [`Revoking::outcome`](super::Revoking::outcome)
    /// returns the error of a revocation after a sign-out.
    async fn revoke(&self, refresh_token: SecretString) -> Result<(), RefreshError>;

    /// Returns the effect of [`revoke`](Self::revoke) at this provider.
    /// [`Session::sign_out_and_revoke`](crate::Session::sign_out_and_revoke) calls it to decide whether it revokes the session's refresh
    /// token. Return [`Revocation::None`] if it must revoke nothing.
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
