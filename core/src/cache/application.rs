use std::time::Duration;

use super::{Session, TokenCache};
use crate::{AccountId, Result, SignIn};

/// The lifetime of an application's session. It can be short: the app can request new tokens at any time.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

impl TokenCache {
    /// Returns the session of the application itself, for tokens that belong to no user (the client credentials grant, RFC 6749 section
    /// 4.4). If the application has no living session, the method begins one that lives for a day. A service calls it each time that it
    /// needs such tokens.
    ///
    /// `client_id` is the application's id at the provider. Every server that passes the same `client_id` gets the same session. It is
    /// stored as a [background session](crate::BackgroundSession), encrypted under the servers' key ring: decrypting it needs both the
    /// store and the key ring.
    ///
    /// Returning an existing session sends one request (two on DynamoDB). Beginning a session also sends the requests of
    /// [`sign_in`](Self::sign_in).
    ///
    /// To remove the application's tokens, for example when the client's secret is replaced, sign out the account
    /// [`AccountId::application`] with [`sign_out_account`](Self::sign_out_account).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
    /// # use token_cache::{AccountId, EntryKey, TokenCache, TokenSet};
    /// # let cache = TokenCache::in_memory().await?;
    /// let api = EntryKey::resource("https://api.example")?;
    /// let session = cache.application("my-client-id").await?;
    /// session.put(&api, TokenSet::new("at-1")?).await?;
    ///
    /// let elsewhere = cache.application("my-client-id").await?; // on any server
    /// assert!(elsewhere.get(&api).await?.is_some());
    ///
    /// cache.sign_out_account(&AccountId::application("my-client-id")?).await?;
    /// assert!(elsewhere.get(&api).await.unwrap_err().is_signed_out());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Misuse`](crate::ErrorKind::Misuse) if the client id is empty, blank or over 8 KiB.
    /// - [`SignInRevoked`](crate::ErrorKind::SignInRevoked) if the application was signed out during the call or just before it. Call the
    ///   method again.
    /// - The errors of [`background_session`](Self::background_session) and of the store.
    pub async fn application(&self, client_id: &str) -> Result<Session> {
        let account = AccountId::application(client_id)?;
        if let Some(session) = self.background_session(&account).await? {
            return Ok(session);
        }
        let sign_in = SignIn::new(account, &self.start_sign_in()?);
        self.sign_in(sign_in.lifetime(LIFETIME).background_access())
            .await
    }
}
