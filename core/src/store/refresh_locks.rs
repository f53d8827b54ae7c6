use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Entry, EntryAddress, EvictOptions, Result, Timestamp, Version, types::entropy,
    util::hash_name::hash_name,
};

hash_name! {
    /// The owner of a [refresh lock](RefreshLocks): a random id, new for each attempt to refresh an entry.
    LockOwner
}

impl LockOwner {
    /// Creates a random owner, for a new attempt to refresh an entry. [`Session::get_or_refresh`](crate::Session::get_or_refresh) calls it,
    /// so apps do not need it.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// The options of [`RefreshLocks::acquire`]: the owner that wants the refresh lock, how long the lock lasts, and the version of the entry
/// that the owner read.
///
/// A refresh ([`Session::get_or_refresh`](crate::Session::get_or_refresh)) creates them. Apps do not need them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AcquireOptions {
    /// The owner that wants the refresh lock. If it already holds the lock, the lock is renewed.
    pub owner: LockOwner,
    /// The time for which the refresh lock lasts without being renewed, counted from when the store receives the request. Afterwards,
    /// another owner can take it. A refresh passes [`RefreshPolicy::lease`](crate::RefreshPolicy::lease).
    pub lease: Duration,
    /// The version of the entry that the owner read and wants to refresh. `None`, the default, if the owner found no entry.
    ///
    /// If the store has another version of the entry, another refresh or a `put` has replaced it. The lock is then not taken, and the
    /// result is [`Acquired::Fresher`] with the stored entry.
    pub seen: Option<Version>,
    /// The time on the store's clock, as the app server estimates it. A session or an entry that expires at this time or earlier counts as
    /// missing.
    pub now: Timestamp,
}

impl AcquireOptions {
    /// Creates options for an owner that found no entry. If the owner read an entry, also call [`seen`](Self::seen). Otherwise the lock is
    /// not taken while the store has an entry.
    ///
    /// The parameters are the fields of the same names.
    pub const fn new(owner: LockOwner, lease: Duration, now: Timestamp) -> Self {
        Self {
            owner,
            lease,
            seen: None,
            now,
        }
    }

    /// Sets the version of the entry that the owner read. If the store has another version, the refresh lock is not taken, and the result
    /// is [`Acquired::Fresher`]. By default, the owner found no entry.
    pub const fn seen(mut self, version: Version) -> Self {
        self.seen = Some(version);
        self
    }
}

/// The result of [`RefreshLocks::acquire`]: whether the owner may now send the entry's refresh token to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must tell all of them apart"
)]
pub enum Acquired {
    /// The owner holds the refresh lock, and may send the entry's refresh token to the provider. The entry still has the version
    /// [`AcquireOptions::seen`], or the store has no entry.
    Held,
    /// The owner does not hold the refresh lock, and must not send the refresh token. The store has this entry, with another version than
    /// [`AcquireOptions::seen`]. Use its tokens.
    Fresher(Entry),
    /// Another owner holds the refresh lock, so this owner must not send the refresh token. The lock expires after this duration, unless
    /// the other owner renews it. Try again later.
    Busy(Duration),
}

/// The part of a store that gives out refresh locks. A lock gives one app server at a time the right to send an entry's refresh token to
/// the provider (G6).
///
/// Every store implements it. Without the lock, two app servers could send the same refresh token at the same time. The provider may then
/// take the token for stolen, and revoke all tokens of the sign-in. [`backend::LockTable`](crate::backend::LockTable) has most of it for a
/// store in memory.
///
/// The owner of a lock writes the refreshed entry with [`TokenStore::write`](crate::TokenStore::write), in the mode
/// [`PutMode::Update`](crate::PutMode::Update) and with [`WriteOptions::releasing`](crate::WriteOptions::releasing). `PutMode::Update`
/// protects against an owner whose lock has expired: it cannot replace an entry that was written since.
#[async_trait]
pub trait RefreshLocks: Send + Sync {
    /// Takes the refresh lock of the entry at the address `at`, or renews it for the same owner. Also reads the session and the entry. A
    /// refresh ([`Session::get_or_refresh`](crate::Session::get_or_refresh)) calls it before it sends the refresh token. Sends one request,
    /// or two if the store has the lock and the entry in separate items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended; the store's own failures.
    ///
    /// # Behaviour
    /// - If the entry has another version than `seen`, or exists although `seen` is `None`, the result is `Fresher`.
    /// - If another owner holds the lock, the result is `Busy`, and the lock stays with that owner.
    /// - If `owner` already holds the lock, for example because the request was sent twice, the lock is renewed and the result is `Held`.
    /// - A lock whose lease has expired is free. A store may also count a lock as free if the entry has another version than the lock's
    ///   owner read. That owner has written the entry already, or cannot replace it any more.
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired>;

    /// Releases the refresh lock of the entry at the address `at`, if `owner` still holds it. A lock of another owner stays. A refresh
    /// calls it if it has not released the lock by writing the entry. Sends one request.
    ///
    /// # Errors
    /// The store's own failures. The lock is then free when its [`lease`](AcquireOptions::lease) has passed.
    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()>;

    /// Ends the session of the entry at the address `at`, if the entry still has the version `version`. `options` has the time on the
    /// store's clock. A refresh calls it when the provider has refused the refresh token of that version.
    ///
    /// Returns `true` if the session ended. Returns `false`, and changes nothing, if the entry has another version, has expired or is
    /// missing. Other sessions continue.
    ///
    /// The call is one atomic step. It sends one request, or two if the store has the session and the entry in separate items. It sets no
    /// not-before time, because a session id is never used again.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended already, perhaps by an earlier attempt of the same call; the
    /// store's own failures.
    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool>;
}
