use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Entry, EntryAddress, EvictOptions, Result, Timestamp, Version, entropy, hash_name::hash_name,
};

hash_name! {
    /// The owner of a refresh lock: a random id, new for each attempt.
    LockOwner
}

impl LockOwner {
    /// Returns a new owner.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// The options of [`RefreshLocks::acquire`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AcquireOptions {
    /// The new owner. If it already holds the lock, it renews the lock.
    pub owner: LockOwner,
    /// How long the lock is held, counted from when the store receives the request.
    pub lease: Duration,
    /// The version of the entry that is due for a refresh, or `None` if no entry was read. Any other version in the store is fresher.
    pub seen: Option<Version>,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
}

impl AcquireOptions {
    /// Returns options for `owner` and `lease` without an entry that was read. `now` is the time on the store's clock.
    pub const fn new(owner: LockOwner, lease: Duration, now: Timestamp) -> Self {
        Self {
            owner,
            lease,
            seen: None,
            now,
        }
    }

    /// Takes the lock only if the entry still has this version.
    pub const fn seen(mut self, version: Version) -> Self {
        self.seen = Some(version);
        self
    }
}

/// The result of [`RefreshLocks::acquire`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must tell all of them apart"
)]
pub enum Acquired {
    /// `owner` holds the lock, and the entry has the version `seen`.
    Held,
    /// Another version was written; use it. The lock was not taken.
    Fresher(Entry),
    /// Another owner holds the lock, for at most this long.
    Busy(Duration),
}

/// Locks that give one server at a time the right to call the provider's token endpoint for an entry (G6). An optional part of a
/// store.
///
/// The refreshed entry is written under the lock by [`TokenStore::write`](crate::TokenStore::write) with
/// [`PutMode::Update`](crate::PutMode::Update) and [`WriteOptions::releasing`](crate::WriteOptions::releasing). The version acts as a
/// fencing token: an owner whose lease has expired overwrites no newer entry.
#[async_trait]
pub trait RefreshLocks: Send + Sync {
    /// Takes or renews the lock of the entry `at`, and then reads its session and entry. One request, or two if lock and entry are separate
    /// items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended; the store's own failures.
    ///
    /// # Behaviour
    /// - If `owner` already holds the lock, the lock is renewed and the answer is `Held`, also if the request was sent twice.
    /// - A lock whose lease has expired is free. A store may also count a lock as free once the entry has another version than its owner
    ///   saw: the owner has written, or can no longer overwrite anything.
    /// - If the entry has another version than `seen`, or exists although `seen` is `None`, the answer is `Fresher`.
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired>;

    /// Releases the lock if `owner` still holds it. One request. A lock of another owner stays as it is.
    ///
    /// # Errors
    /// The store's own failures. The lock ends with its lease in any case.
    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()>;

    /// Ends the session of `at` if the entry still has the version `version`, whose refresh token the provider refused.
    ///
    /// Returns `false`, and changes nothing, if the entry has another version, has expired or is missing. It ends no other session. One
    /// atomic step, and two requests if session and entry are separate items. It sets no not-before time, since a session id is never used
    /// again.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended, perhaps by an earlier attempt of this request; the
    /// store's own failures.
    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool>;
}
