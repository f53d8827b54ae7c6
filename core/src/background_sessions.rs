use std::fmt;

use async_trait::async_trait;

use crate::{AccountKey, ReadOptions, Result, SessionId, hash_name::hash_name};

hash_name! {
    /// The keyed hash of what a background session is looked up by, within its account.
    BackgroundKey
}

/// A session's ticket secret, sealed for those who hold no ticket.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundSession {
    /// The session.
    pub session_id: SessionId,
    /// Its ticket secret, sealed.
    pub sealed: Vec<u8>,
}

impl BackgroundSession {
    /// The sealed ticket secret of a session.
    pub const fn new(session_id: SessionId, sealed: Vec<u8>) -> Self {
        Self { session_id, sealed }
    }
}

impl fmt::Debug for BackgroundSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Escrowed([redacted])")
    }
}

/// Sealed ticket secrets, kept in their accounts' partitions: an optional part of a store.
///
/// A background session counts only while its session lives: it is read together with the account's record.
#[async_trait]
pub trait BackgroundSessions: Send + Sync {
    /// Keeps `background_session` under `name`, beside those of the account's other living sessions. One request; three where session and
    /// background session are items apart.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where the session has ended; the store's own failures.
    async fn keep(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        background_session: BackgroundSession,
        options: ReadOptions,
    ) -> Result<()>;

    /// The background sessions under `name` whose sessions live, the one kept last first. One request, or two.
    ///
    /// # Errors
    /// The store's own failures.
    async fn find(
        &self,
        account: &AccountKey,
        name: &BackgroundKey,
        options: ReadOptions,
    ) -> Result<Vec<BackgroundSession>>;
}
