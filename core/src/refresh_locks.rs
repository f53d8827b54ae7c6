use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Entry, EntryAddress, EvictOptions, Result, Timestamp, Version, entropy, hash_name::hash_name,
};

hash_name! {
    /// The owner of a refresh lock: a random id, new for each attempt to refresh an entry.
    LockOwner
}

impl LockOwner {
    /// Creates a random owner, for an attempt to refresh an entry.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// The options of [`RefreshLocks::acquire`]: the new owner, the duration of the lock, and the version that was read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AcquireOptions {
    /// The owner that is to hold the lock. If it already holds the lock, its lease is renewed.
    pub owner: LockOwner,
    /// How long the lock is held, counted from when the store receives the request.
    pub lease: Duration,
    /// The version of the entry that the caller read and wants to refresh. `None` (the default) if the caller read no entry.
    ///
    /// If the store has another version of the entry, that version is fresher. Then the lock is not taken, and the result is
    /// [`Acquired::Fresher`] with the stored entry.
    pub seen: Option<Version>,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
}

impl AcquireOptions {
    /// Creates options for a caller that read no entry. If the store has an entry, the lock is then not taken. If an entry was read, also
    /// set its version with [`seen`](Self::seen).
    ///
    /// The lock is held for `lease`, counted from when the store receives the request. `now` is the time on the store's clock.
    pub const fn new(owner: LockOwner, lease: Duration, now: Timestamp) -> Self {
        Self {
            owner,
            lease,
            seen: None,
            now,
        }
    }

    /// Sets the version of the entry that was read. The lock is not taken if the store has another version.
    pub const fn seen(mut self, version: Version) -> Self {
        self.seen = Some(version);
        self
    }
}

/// The result of [`RefreshLocks::acquire`]: whether `owner` may send the refresh token now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must tell all of them apart"
)]
pub enum Acquired {
    /// `owner` holds the lock. The stored entry has the version [`AcquireOptions::seen`], or no entry exists.
    Held,
    /// The store has an entry with another version than [`AcquireOptions::seen`]: use this entry. `owner` does not hold the lock.
    Fresher(Entry),
    /// Another owner holds the lock. Its lease ends after this duration, unless that owner renews it. Try again later.
    Busy(Duration),
}

/// Locks that give one app server at a time the right to call the provider's token endpoint for an entry. So one refresh at a time, in the
/// whole fleet, sends the entry's refresh token (G6). They are an optional part of a store.
///
/// The owner of the lock writes the refreshed entry by [`TokenStore::write`](crate::TokenStore::write) with
/// [`PutMode::Update`](crate::PutMode::Update) and [`WriteOptions::releasing`](crate::WriteOptions::releasing). The version in
/// `PutMode::Update` acts as a fencing token: an owner whose lease has expired cannot overwrite a newer entry.
#[async_trait]
pub trait RefreshLocks: Send + Sync {
    /// Takes or renews the lock of the entry `at`, and then reads the session and the entry. Sends one request, or two if the store has the
    /// lock and the entry in separate items.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) if the session has ended; the store's own failures.
    ///
    /// # Behaviour
    /// - If the entry has another version than `seen`, or exists although `seen` is `None`, the result is `Fresher`.
    /// - If `owner` already holds the lock, for example because the request was sent twice, the lock is renewed and the result is `Held`.
    /// - A lock whose lease has expired is free. A store may also count a lock as free if the entry has another version than the lock's
    ///   owner saw. That owner has written already, or can no longer overwrite anything.
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired>;

    /// Releases the lock of the entry `at` if `owner` still holds it. A lock of another owner stays as it is. Sends one request.
    ///
    /// # Errors
    /// The store's own failures. The lock is then free when its lease expires.
    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()>;

    /// Ends the session of the entry `at` if the entry still has the version `version`, and returns `true`. The provider refused the
    /// refresh token of that version.
    ///
    /// Returns `false`, and changes nothing, if the entry has another version, has expired or is missing. Other sessions continue. The call
    /// is one atomic step. It sends one request, or two if the store has the session and the entry in separate items. It sets no not-before
    /// time, because a session id is never used again.
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
