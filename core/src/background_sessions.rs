use std::fmt;

use async_trait::async_trait;

use crate::{AccountKey, ReadOptions, Result, SessionId, hash_name::hash_name};

hash_name! {
    /// The name under which an account's background sessions are stored: a keyed hash, which a [`TokenCache`](crate::TokenCache) computes.
    ///
    /// All sessions of an account with [background access](crate::SignIn::background_access) share one name. A session that a web API began
    /// on behalf of a user has another name, which is computed from the user's access token.
    BackgroundKey
}

/// The encrypted ticket secret of a session. A store keeps it so that a job without a ticket can open the session.
///
/// A sign-in with [`background_access`](crate::SignIn::background_access) stores it.
/// [`TokenCache::background_session`](crate::TokenCache::background_session) reads it, and can open the session until the session ends.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundSession {
    /// The id of the session to which the ticket secret belongs.
    pub session_id: SessionId,
    /// The session's ticket secret and the keyed hashes of its account, encrypted under keys that the store does not have.
    pub sealed: Vec<u8>,
}

impl BackgroundSession {
    /// Creates the value to store for the session `session_id`. `sealed` is its encrypted ticket secret. The bytes are not encrypted here.
    pub const fn new(session_id: SessionId, sealed: Vec<u8>) -> Self {
        Self { session_id, sealed }
    }
}

impl fmt::Debug for BackgroundSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackgroundSession([redacted])")
    }
}

/// The part of a store that keeps encrypted ticket secrets, for sessions that a job can open without a ticket. It is optional.
///
/// Without it, a sign-in with [`background_access`](crate::SignIn::background_access) fails with
/// [`Unsupported`](crate::ErrorKind::Unsupported). A background session belongs to one session. When that session ends, for example by a
/// sign-out, the background session is no longer returned.
#[async_trait]
pub trait BackgroundSessions: Send + Sync {
    /// Stores the background session of a session under `name` in the account. It replaces an earlier background session of the same
    /// session. Those of other sessions stay.
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

    /// Returns the account's background sessions under `name` whose sessions live, the most recently stored first. Returns an empty list if
    /// no such session lives.
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
