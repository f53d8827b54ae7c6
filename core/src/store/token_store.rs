use std::fmt::{Debug, Display};

use async_trait::async_trait;

use crate::{
    AccountKey, BackgroundSessions, Backplane, BeginSession, Begun, Capabilities, Diagnostic,
    Entry, EntryAddress, EvictOptions, EvictTarget, Evicted, Namespace, NamespaceRecord, PutResult,
    ReadOptions, RefreshLocks, Result, SessionId, SessionRecord, SidIndex, TimeSource,
    WriteOptions,
};

#[doc = include_str!("token_store.md")]
///
#[doc = "```"]
#[doc = include_str!("../../docs/tiny_store.rs")]
#[doc = "```"]
#[async_trait]
pub trait TokenStore:
    SidIndex + RefreshLocks + BackgroundSessions + Debug + Display + Send + Sync + 'static
{
    /// Returns the limits of this store: the largest size of an entry's value. [`write`](Self::write) refuses a larger value with
    /// [`TooLarge`](crate::ErrorKind::TooLarge). Sends no request.
    fn capabilities(&self) -> Capabilities;

    /// Returns the findings for an operator that the store made when it was opened, such as a risky setting of the Redis server. The list
    /// is empty if it found nothing. Sends no request.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// Returns the record of the namespace, if the store has one, and a reading of the store's clock. A [`TokenCache`](crate::TokenCache)
    /// calls it when it is opened, and then every second. Sends one request.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the bytes of the record are invalid; the store's own failures.
    async fn namespace(&self) -> Result<Namespace>;

    /// Writes the record of the namespace, if the stored record equals `expected`. If `expected` is `None`, the store must have no record.
    /// A [`TokenCache`](crate::TokenCache) calls it when it is opened and the record is missing, and when a setting in the record must
    /// change. Sends one request.
    ///
    /// Returns `true` if the record was written. Returns `false`, and writes nothing, if the stored record differs from `expected`.
    ///
    /// # Errors
    /// The store's own failures.
    async fn set_namespace(
        &self,
        expected: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool>;

    /// Begins a session of an account: stores its record. The function [`protocol::sign_in`](fn@crate::protocol::sign_in) calls it. Sends
    /// one request, or two if the store cannot decide and write in one.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut), with nothing begun (G2), in each of these cases:
    /// - A not-before time of the account is equal to or later than the session's time on the clock of that not-before time.
    /// - The session has no `sid`, and the same holds for the not-before time of the sessions without a `sid`.
    /// - The store's own clock has reached [`not_after`](BeginSession::not_after).
    ///
    /// Otherwise the store's own failures. If [`may_have_applied`](crate::Error::may_have_applied) is `true` for the failure, the caller
    /// repeats the call with a new ticket secret, never with the same one.
    ///
    /// # Behaviour
    /// - The sessions in [`supersedes`](BeginSession::supersedes) end in the same step: their records are removed, and their entries can no
    ///   longer be read.
    /// - If more than [`max_sessions`](BeginSession::max_sessions) sessions of the new session's kind would live, the store ends the oldest
    ///   ones by [`requested_at`](crate::SessionTimes::requested_at).
    /// - The store keeps the record until [`ends_at`](SessionRecord::ends_at). Each call also removes some of the account's expired
    ///   sessions.
    async fn begin(&self, account: &AccountKey, session: BeginSession) -> Result<Begun>;

    /// Returns the record of the session `session_id` of `account`, if the session lives, and otherwise an error.
    /// [`TokenCache::resume`](crate::TokenCache::resume) calls it. Sends one strongly consistent request.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session does not exist or has ended (G1); [`Corrupt`](crate::ErrorKind::Corrupt)
    /// if the stored bytes are invalid; the store's own failures.
    async fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        options: ReadOptions,
    ) -> Result<SessionRecord>;

    /// Returns the entry at the address `at`, or `None` if it is missing or expired. A [`Session`](crate::Session) calls it. Sends one
    /// strongly consistent request.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session does not exist or has ended (G1); [`Corrupt`](crate::ErrorKind::Corrupt)
    /// if the stored bytes are invalid; the store's own failures. A failure is never reported as `None` (G4).
    async fn read(&self, at: &EntryAddress, options: ReadOptions) -> Result<Option<Entry>>;

    /// Writes the entry at the address `at`, if its session lives and the precondition [`WriteOptions::mode`] is met. A
    /// [`Session`](crate::Session) calls it. If the precondition is not met, the result is [`PutResult::PreconditionFailed`]. Sends one
    /// request, or two if the store has session and entry in separate items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut), with nothing readable written, if the session does not exist or has ended, even if the
    /// request arrives late (G2). [`TooLarge`](crate::ErrorKind::TooLarge), before any request is sent, if the value is over the limit of
    /// [`capabilities`](Self::capabilities). Otherwise the store's own failures.
    ///
    /// # Behaviour
    /// - An acknowledged entry is readable until it expires or its session ends (G4).
    /// - The caller never gives an entry an expiry later than the end of its session. A store need not check it, because no entry can be
    ///   read after its session has ended.
    /// - If a write with a precondition is repeated, the store returns `Stored` as long as it has the entry of that write. The retry of a
    ///   write that was applied is not a failed precondition.
    /// - A write with [`PutMode::Create`](crate::PutMode::Create) creates its entry once. A second delivery of the request may arrive after
    ///   the entry was replaced, removed or expired. The store then returns `PreconditionFailed` and changes nothing (G2).
    /// - To recognize a second delivery, a store remembers the versions of the creating writes that it stored. It remembers at least the
    ///   last [`REMEMBERED_CREATIONS`](crate::REMEMBERED_CREATIONS) for each entry of a session. It may forget them when the session has
    ///   ended, or when no second delivery can arrive any more.
    async fn write(
        &self,
        at: &EntryAddress,
        entry: Entry,
        options: WriteOptions,
    ) -> Result<PutResult>;

    /// Removes the entry at the address `at`. [`Session::remove`](crate::Session::remove) calls it. Returns `Ok` too if there is no entry,
    /// or if its session has ended. Sends one request.
    ///
    /// # Errors
    /// The store's own failures.
    async fn remove(&self, at: &EntryAddress) -> Result<()>;

    /// Ends the sessions of an account that `target` selects, in one atomic step. The functions of [`protocol`](crate::protocol) call it
    /// for a sign-out. The same step stores the account's not-before time, if [`EvictTarget`] says that the target sets one.
    ///
    /// # Errors
    /// All failures of the store (G4). If [`may_have_applied`](crate::Error::may_have_applied) is `true` for the failure, the caller
    /// repeats the call with the same cutoff time.
    ///
    /// # Behaviour
    /// - After `evict` has returned, no read that starts later returns an entry, the record or a background session of an ended session
    ///   (G1).
    /// - The eviction of a whole account is one request, however many sessions and entries the account has (G3).
    /// - A call that is repeated, delayed or sent twice ends no session that is later than its cutoff time, and never lowers a not-before
    ///   time (G2).
    /// - A session whose stored time is more than five minutes in the future counts as earlier than every cutoff time
    ///   ([`SessionTimes::credible_at`](crate::SessionTimes::credible_at)).
    /// - An account without any session gets its not-before time as well. In the result, [`ended`](Evicted::ended) is then `false`.
    /// - Invalid bytes under the account's key are removed.
    /// - If the future is dropped, the eviction may or may not have been applied.
    async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted>;

    /// Returns the records of the account's living sessions, in any order. Returns an empty list if no session lives.
    /// [`TokenCache::sessions`](crate::TokenCache::sessions) calls it. Sends one request.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the stored bytes are invalid; the store's own failures.
    async fn sessions(
        &self,
        account: &AccountKey,
        options: ReadOptions,
    ) -> Result<Vec<SessionRecord>>;

    /// Returns the clock of the store if the store runs in this process. Returns `None` for a store on another machine, such as Redis. A
    /// [`TokenCache`](crate::TokenCache) then estimates the clock from the answers of [`namespace`](Self::namespace).
    fn clock(&self) -> Option<&dyn TimeSource>;

    /// Returns the part of the store that carries invalidation messages between app servers, or `None` if the store does not support it.
    /// [`Backplane`] describes what a cache does without it.
    fn backplane(&self) -> Option<&dyn Backplane>;
}
