use std::time::Duration;

use super::{Session, TokenCache};
use crate::{AccountId, Result, SignIn};

/// How long a session of an application lives. Nothing is lost with it: its tokens can be had again at any time.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

impl TokenCache {
    /// The session of an application itself, for tokens that are no user's (the client credentials grant, RFC 6749 section 4.4):
    /// found, or begun for a day. Every server gets the same one, since it is escrowed under the key ring: who has the store and the
    /// ring both can open it. One request; where a session is begun, those of a sign-in as well.
    ///
    /// Its tokens have a partition of the application's own: [`AccountId::application`] is what to sign out, when the client's
    /// secret is replaced, say.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache_core::Result<()> {
    /// # use token_cache_core::{AccountId, EntryKey, TokenCache, TokenSet};
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
    /// [`Misuse`](crate::ErrorKind::Misuse) for a client id that is empty or over 8 KiB;
    /// [`SignedOut`](crate::ErrorKind::SignedOut) within moments of the application's sign-out: call it again;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a store that keeps no background sessions; the store's own failures.
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
