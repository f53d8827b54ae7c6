use std::fmt;

use async_trait::async_trait;

use crate::{AccountKey, ReadOptions, Result, SessionId, hash_name::hash_name};

hash_name! {
    /// The keyed hash by which a background session is found within its account.
    BackgroundKey
}

/// A session's ticket secret, sealed, for callers without a ticket.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundSession {
    /// The session.
    pub session_id: SessionId,
    /// Its ticket secret and account, sealed.
    pub sealed: Vec<u8>,
}

impl BackgroundSession {
    /// Returns a background session from a session's sealed ticket secret.
    pub const fn new(session_id: SessionId, sealed: Vec<u8>) -> Self {
        Self { session_id, sealed }
    }
}

impl fmt::Debug for BackgroundSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackgroundSession([redacted])")
    }
}

/// The store of sealed ticket secrets, in the partitions of their accounts: an optional part of a store.
///
/// A background session is valid only while its session lives. It is read together with the account's record.
#[async_trait]
pub trait BackgroundSessions: Send + Sync {
    /// Stores `background_session` under `name`, in addition to those of the account's other living sessions. Sends one request,
    /// or three if session and background session are separate items.
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

    /// Returns the background sessions under `name` whose sessions live, the most recently stored first. Sends one request, or
    /// two.
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
