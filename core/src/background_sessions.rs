use std::fmt;

use async_trait::async_trait;

use crate::{AccountKey, ReadOptions, Result, SessionId, hash_name::hash_name};

hash_name! {
    /// The keyed hash by which a background session is found within its account.
    ///
    /// One key is for the sessions with background access. A session that a web API began on behalf of a user has a key of its own.
    BackgroundKey
}

/// The encrypted ticket secret of a session, stored so that a caller without a ticket can open the session.
///
/// A sign-in with [`background_access`](crate::SignIn::background_access) stores one.
/// [`TokenCache::background_session`](crate::TokenCache::background_session) opens it, until the session ends.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundSession {
    /// The id of the session.
    pub session_id: SessionId,
    /// The session's ticket secret and account, encrypted under the key ring. A store cannot decrypt them.
    pub sealed: Vec<u8>,
}

impl BackgroundSession {
    /// Creates a background session. `sealed` is the encrypted ticket secret of the session `session_id`.
    pub const fn new(session_id: SessionId, sealed: Vec<u8>) -> Self {
        Self { session_id, sealed }
    }
}

impl fmt::Debug for BackgroundSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackgroundSession([redacted])")
    }
}

/// The storage of encrypted ticket secrets, in the partitions of their accounts: an optional part of a store.
///
/// A background session is valid only while its session lives. It is read together with the account's record.
#[async_trait]
pub trait BackgroundSessions: Send + Sync {
    /// Stores `background_session` under `name`, in addition to those of the account's other living sessions. It replaces an earlier one of
    /// the same session. Sends one request, or three if session and background session are separate items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended; the errors of the store.
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()>;

    /// Returns the background sessions under `name` whose sessions live, the most recently stored first. The list is empty if no such
    /// session lives. Sends one request, or two.
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
