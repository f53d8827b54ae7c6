use std::{
    fmt::{Debug, Display},
    sync::Arc,
};

use async_trait::async_trait;

use crate::{
    AccountKey, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities, Diagnostic,
    Entry, EntryAddress, EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, PutResult,
    ReadOptions, RefreshLocks, Result, SessionId, SessionRecord, SidIndex, TimeSource,
    WriteOptions,
};

#[doc = include_str!("store.md")]
///
#[doc = "```"]
#[doc = include_str!("../docs/tiny_store.rs")]
#[doc = "```"]
#[async_trait]
pub trait TokenStore: Debug + Display + Send + Sync + 'static {
    /// Returns the limits of this store. Sends no request.
    fn capabilities(&self) -> Capabilities;

    /// Returns findings for an operator, such as a risky setting of the Redis server, that the store made when it was opened. The list is
    /// empty if there are no findings. Sends no request.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// Returns the namespace's record, if there is one, and the time of the store's clock. One request.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes of the record are invalid; the store's own failures.
    async fn namespace(&self) -> Result<Namespace>;

    /// Writes the namespace's record if the stored one equals `expected`. Returns `false`, and writes nothing, if it does not. One request.
    ///
    /// # Errors
    /// The store's own failures.
    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool>;

    /// Begins a session of an account. One request, or two if the store cannot decide and write in one.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut), with nothing begun (G2), in each of these cases:
    /// - A not-before time of the account is equal to or later than the session's time on the clock of that not-before time.
    /// - The session has no `sid`, and the same holds for the not-before time of the sessions without a `sid`.
    /// - The store's own clock has passed `not_after`.
    ///
    /// Otherwise the store's own failures. After one that [`may_have_applied`](crate::Error::may_have_applied), the caller repeats the call
    /// with a new ticket secret, never with the same one.
    ///
    /// # Behaviour
    /// - The sessions in `supersedes` and their entries are removed in the same step.
    /// - If more than `max_sessions` sessions of this kind would live, the oldest one by `requested_at` is ended.
    /// - The record lives until `ends_at`. Each call prunes some remains of expired sessions.
    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun>;

    /// Returns the record of a living session. One request, strongly consistent.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session does not exist or has ended (G1);
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes are invalid; the store's own failures.
    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord>;

    /// Returns an entry of a living session, or `None` if it is missing or expired. One request, strongly consistent.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session does not exist or has ended (G1);
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes are invalid; the store's own failures. A failure is never reported as a miss
    /// (G4).
    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>>;

    /// Writes an entry of a living session. One request, or two if session and entry are separate items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut), with nothing readable written, if the session does not exist or has ended, even if the
    /// request arrives late (G2); [`TooLarge`](crate::ErrorKind::TooLarge), before any request is sent; the store's own failures.
    ///
    /// # Behaviour
    /// - An acknowledged entry is readable until it expires or its session ends (G4).
    /// - The caller never gives an entry an expiry later than the end of its session.
    /// - A conditional write that is repeated answers `Stored` as long as the entry that it stored is present. The retry of a write that
    ///   was applied is not a failed precondition.
    /// - A write with [`PutMode::Create`](crate::PutMode::Create) creates its entry once. A copy of the request that arrives after the
    ///   entry was replaced, removed or expired answers `PreconditionFailed` and changes nothing (G2).
    /// - For this, a store remembers the versions of the creating writes that it stored: for each entry of a session, at least the last
    ///   [`REMEMBERED_CREATIONS`](crate::REMEMBERED_CREATIONS). It may forget them when the session has ended, or when no copy of those
    ///   writes can arrive any more.
    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult>;

    /// Removes an entry. Returns `Ok` if the entry is missing, too. One request.
    ///
    /// # Errors
    /// The store's own failures.
    async fn remove(&self, at: &EntryAddress) -> Result<()>;

    /// Ends the sessions of an account that `target` selects, in one atomic step. The same step stores the account's not-before time, if
    /// the target has one.
    ///
    /// # Errors
    /// The store's own failures, all of them (G4). After one that [`may_have_applied`](crate::Error::may_have_applied), the caller repeats
    /// the call with the same cutoff time.
    ///
    /// # Behaviour
    /// - When it returns, no read that starts afterwards sees an ended session (G1).
    /// - The eviction of a whole account is one request, however much the account holds (G3).
    /// - A call that is repeated, delayed or sent twice ends no session that is later than its cutoff time, and never lowers a not-before
    ///   time (G2).
    /// - A session whose stored time is more than five minutes in the future counts as earlier than every cutoff time
    ///   ([`SessionTimes::credible_at`](crate::SessionTimes::credible_at)).
    /// - An account without a partition gets its not-before time as well; `ended` is then `false`.
    /// - Invalid bytes under the account's key are removed.
    /// - If the future is dropped, the eviction may or may not have been applied.
    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted>;

    /// Returns the account's living sessions, in any order. The list is empty if no session lives. One request.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes are invalid; the store's own failures.
    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>>;

    /// Returns the clock of a store in this process, or `None` for a store outside of it, such as Redis.
    fn clock(&self) -> Option<&dyn TimeSource>;

    /// Returns the locks for refreshes, or `None` if the store does not have them.
    fn refresh_locks(&self) -> Option<&dyn RefreshLocks>;

    /// Returns the index from a `sid` to accounts, or `None` if the store does not have one.
    fn sid_index(&self) -> Option<&dyn SidIndex>;

    /// Returns the storage of encrypted ticket secrets for background access, or `None` if the store does not have it.
    fn background_sessions(&self) -> Option<&dyn BackgroundSessions>;

    /// Returns the backplane, which notifies app servers with near caches of sign-outs, or `None` if the store does not have one.
    fn backplane(&self) -> Option<&dyn Backplane>;
}

macro_rules! forward_through {
    ($sid_entry:ident) => {
        #[async_trait]
        impl<S: TokenStore + ?Sized> TokenStore for $sid_entry<S> {
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            fn diagnostics(&self) -> Vec<Diagnostic> {
                (**self).diagnostics()
            }

            async fn namespace(&self) -> Result<Namespace> {
                (**self).namespace().await
            }

            async fn set_namespace(
                &self,
                expected: Option<&NamespaceRecord>,
                record: &NamespaceRecord,
            ) -> Result<bool> {
                (**self).set_namespace(expected, record).await
            }

            async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun> {
                (**self).begin(account, session).await
            }

            async fn session(
                &self,
                account: &AccountKey,
                session_id: &SessionId,
                options: ReadOptions,
            ) -> Result<SessionRecord> {
                (**self).session(account, session_id, options).await
            }

            async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>> {
                (**self).read(at, options).await
            }

            async fn write(
                &self,
                at: &EntryAddress,
                entry: Entry,
                options: WriteOptions,
            ) -> Result<PutResult> {
                (**self).write(at, entry, options).await
            }

            async fn remove(&self, at: &EntryAddress) -> Result<()> {
                (**self).remove(at).await
            }

            async fn evict(
                &self,
                account: &AccountKey,
                target: EvictTarget,
                options: EvictOptions,
            ) -> Result<Evicted> {
                (**self).evict(account, target, options).await
            }

            async fn sessions(
                &self,
                account: &AccountKey,
                options: ReadOptions,
            ) -> Result<Vec<SessionRecord>> {
                (**self).sessions(account, options).await
            }

            fn clock(&self) -> Option<&dyn TimeSource> {
                (**self).clock()
            }

            fn refresh_locks(&self) -> Option<&dyn RefreshLocks> {
                (**self).refresh_locks()
            }

            fn sid_index(&self) -> Option<&dyn SidIndex> {
                (**self).sid_index()
            }

            fn background_sessions(&self) -> Option<&dyn BackgroundSessions> {
                (**self).background_sessions()
            }

            fn backplane(&self) -> Option<&dyn Backplane> {
                (**self).backplane()
            }
        }
    };
}

forward_through!(Arc);
forward_through!(Box);
