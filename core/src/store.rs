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
    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// Returns what was found when the store was opened and an operator should know. Does no I/O.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// The namespace's record, and the store's clock. One request.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) where something else lies in the record's place; the store's own failures.
    async fn namespace(&self) -> Result<Namespace>;

    /// Writes the namespace's record if it still is `expected`; `false` where it is not. One request.
    ///
    /// # Errors
    /// The store's own failures.
    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool>;

    /// Begins a session of an account. One request; two where the store can't decide and write in one.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut), and nothing begun, where a marker of the account stands at or after the
    /// session's place on the marker's clock, where the session is unlabelled and the marker of the unlabelled stands so,
    /// or where the store's own clock has passed `not_after` (G2); the store's own failures. One that
    /// [`may_have_applied`](crate::Error::may_have_applied) is sent again with a new ticket secret, never with the same.
    ///
    /// # Behaviour
    /// - The sessions in `supersedes` are removed with their entries in the same step.
    /// - Over `max_sessions` living ones of its kind, the one of them begun first (the earliest place on the store's clock) ends.
    /// - The record lives until `ends_at`; what is left of expired sessions is pruned, some at each call.
    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun>;

    /// A living session's record. One request, strongly consistent.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where it is not there or is over (G1);
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for bytes not ours; the store's own failures.
    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord>;

    /// An entry of a living session; none where it is not there or has expired. One request, strongly consistent.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where the session is not there or is over (G1);
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for bytes not ours; the store's own failures, never as a miss (G4).
    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>>;

    /// Writes an entry of a living session. One request; two where session and entry are items apart.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut), and nothing readable written, where the session is not there or is over,
    /// however late the request lands (G2); [`TooLarge`](crate::ErrorKind::TooLarge) before any request; the store's own
    /// failures.
    ///
    /// # Behaviour
    /// - An acknowledged entry is readable until it expires or its session ends (G4).
    /// - The caller gives an entry no expiry that is later than its session's end.
    /// - A conditional write that is sent again answers `Stored` while the entry that it stored is there: the retry of a write that
    ///   landed is no loss.
    /// - A write over [`PutMode::Create`](crate::PutMode::Create) creates its entry once. A copy of it that arrives after the entry was
    ///   replaced or removed, or has expired, answers `PreconditionFailed` and changes nothing (G2). For this a store remembers, for each entry
    ///   of a session, the versions of at least the last [`REMEMBERED_CREATIONS`](crate::REMEMBERED_CREATIONS) creating writes
    ///   that it stored. It may forget them when the session has ended, or when no copy of those writes can arrive any more.
    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult>;

    /// Removes an entry; one that is not there is removed already. One request.
    ///
    /// # Errors
    /// The store's own failures.
    async fn remove(&self, at: &EntryAddress) -> Result<()>;

    /// Cuts an account's partition: ends the sessions that the cut names, in one atomic step, and leaves its marker.
    ///
    /// # Errors
    /// The store's own failures, none swallowed (G4). One that [`may_have_applied`](crate::Error::may_have_applied) is
    /// sent again with the same moment.
    ///
    /// # Behaviour
    /// - When it returns, no read that starts afterwards sees an ended session (G1).
    /// - A cut of an account is one request whatever the account holds (G3).
    /// - Sent again, delayed or twice, it ends nothing that stands after its moment, and never lowers a marker (G2).
    /// - A session whose stored time is more than five minutes in the future counts as before every time
    ///   ([`SessionTimes::credible_at`](crate::SessionTimes::credible_at)).
    /// - An account without a partition is marked as well; `ended` is false.
    /// - Bytes not ours under the account's key are removed.
    /// - If the future is dropped the cut may have been carried out, or not.
    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted>;

    /// The account's living sessions, in no order. One request.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for bytes not ours; the store's own failures.
    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>>;

    /// The clock of a store that lives in this process; none for one on a server.
    fn clock(&self) -> Option<&dyn TimeSource>;

    /// Locks for refreshes, where the store has them.
    fn refresh_locks(&self) -> Option<&dyn RefreshLocks>;

    /// What goes across accounts, where the store has it.
    fn sid_index(&self) -> Option<&dyn SidIndex>;

    /// Sealed ticket secrets for those without a ticket, where the store keeps them.
    fn background_sessions(&self) -> Option<&dyn BackgroundSessions>;

    /// How servers that keep near caches hear of sign-outs, where the store can tell them.
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
