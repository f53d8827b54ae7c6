use std::fmt;

use async_trait::async_trait;

use crate::{AccountKey, ReadOptions, Result, SessionId, util::hash_name::hash_name};

hash_name! {
    /// The name under which an account's [background sessions](BackgroundSession) are stored: a keyed hash. A
    /// [`TokenCache`](crate::TokenCache) computes it, and apps do not need it.
    ///
    /// All sessions of an account with [background access](crate::SignIn::background_access) share one name. A session that a web API began
    /// on behalf of a user has another name, which is computed from the user's access token.
    BackgroundKey
}

/// The encrypted ticket secret of a session. A store keeps it so that the session can be opened without its ticket: by a job, or by a web
/// API that has the user's access token.
///
/// A sign-in with [`background_access`](crate::SignIn::background_access) stores it, and
/// [`TokenCache::background_session`](crate::TokenCache::background_session) reads it.
/// [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) stores and reads it too. Apps do not need this type.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundSession {
    /// The id of the session to which the ticket secret belongs.
    pub session_id: SessionId,
    /// The session's ticket secret and the keyed hashes of its account, encrypted under the key ring of the app servers, which the store
    /// does not have. For a session on behalf of a user, decrypting also needs the user's access token.
    pub sealed: Vec<u8>,
}

impl BackgroundSession {
    /// Creates the background session of the session `session_id`. A sign-in calls it, and a store calls it when it reads a background
    /// session from its own data.
    ///
    /// `sealed` is the session's ticket secret together with its account, which is encrypted already. This function does not encrypt it.
    pub const fn new(session_id: SessionId, sealed: Vec<u8>) -> Self {
        Self { session_id, sealed }
    }
}

impl fmt::Debug for BackgroundSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackgroundSession([redacted])")
    }
}

/// The part of a store that keeps encrypted ticket secrets, for sessions that can be opened without a ticket. Every store implements it.
///
/// A sign-in with [`background_access`](crate::SignIn::background_access) and
/// [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) use it. A [background session](BackgroundSession) belongs to one session. When that session ends, for example by a sign-out, the background session is no
/// longer returned.
#[async_trait]
pub trait BackgroundSessions: Send + Sync {
    /// Stores `background_session` under `name` in the account `account`. The function [`protocol::sign_in`](fn@crate::protocol::sign_in)
    /// calls it in its last step. The call replaces an earlier background session of the same session. The background sessions of other
    /// sessions stay.
    ///
    /// Sends one request, or three if the store has sessions and background sessions in separate items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session of `background_session` has ended; the errors of the store.
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()>;

    /// Returns the [background sessions](BackgroundSession) that were kept for `account` under `name`, the most recently stored first.
    /// Those
    /// of ended sessions are left out, so the list is empty if none of the sessions lives.
    /// [`TokenCache::background_session`](crate::TokenCache::background_session) and
    /// [`TokenCache::on_behalf_of`](crate::TokenCache::on_behalf_of) call it.
    ///
    /// Sends one request, or two if the store has sessions and background sessions in separate items.
    ///
    /// # Errors
    /// The errors of the store.
    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>>;
}
