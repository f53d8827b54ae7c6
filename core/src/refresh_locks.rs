use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Entry, EntryAddress, EvictOptions, Result, Timestamp, Version, entropy, hash_name::hash_name,
};

hash_name! {
    /// Who holds a refresh lock: random, minted for each attempt.
    LockOwner
}

impl LockOwner {
    /// A new owner.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// How to take a refresh lock.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AcquireOptions {
    /// Who takes it. The owner that holds it renews it.
    pub owner: LockOwner,
    /// How long it is held, counted from its landing.
    pub lease: Duration,
    /// The version that was found due; another one in the store is fresher.
    pub seen: Option<Version>,
    /// The moment, on the store's clock, for what is expired.
    pub now: Timestamp,
}

impl AcquireOptions {
    /// Takes the lock for `owner` and `lease`, having read no entry; `now` is the moment on the store's clock.
    pub const fn new(owner: LockOwner, lease: Duration, now: Timestamp) -> Self {
        Self {
            owner,
            lease,
            seen: None,
            now,
        }
    }

    /// Takes it only while the entry is still this version.
    pub const fn seen(mut self, version: Version) -> Self {
        self.seen = Some(version);
        self
    }
}

/// What [`RefreshLocks::acquire`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must tell all of them apart"
)]
pub enum Acquired {
    /// The lock is the owner's, and the entry is the version that was seen.
    Held,
    /// Somebody has written another version: use it. The lock is not taken.
    Fresher(Entry),
    /// Another owner holds it, for this long at the most.
    Busy(Duration),
}

/// The right to call the provider's token endpoint for one entry, across servers (G6): an optional part of a store.
///
/// The write-back under the lock is [`TokenStore::write`](crate::TokenStore::write) with
/// [`PutMode::Update`](crate::PutMode::Update) and [`WriteOptions::releasing`](crate::WriteOptions::releasing): the version is
/// the fence, so a holder that outlived its lease writes over nothing newer.
#[async_trait]
pub trait RefreshLocks: Send + Sync {
    /// Takes or renews the lock of the entry `at`, and reads session and entry when it has it. One request, or two where lock
    /// and entry are items apart.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where the session has ended; the store's own failures.
    ///
    /// # Behaviour
    /// - The owner that holds it renews it: the answer is `Held`, also where the request was sent twice.
    /// - A lock whose lease has run out is free. One may also be free once the entry is another version than its holder saw: the
    ///   holder has written, or can write over nothing any more.
    /// - An entry of another version than `seen`, or one where `seen` is none, answers `Fresher`.
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired>;

    /// Gives the lock back, if it is still `owner`'s. One request; a lock of another's, or none, stays as it is.
    ///
    /// # Errors
    /// The store's own failures. The lease ends the lock in any case.
    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()>;

    /// Ends the session of `at`, and no other, if the entry still is `version`, whose refresh token the provider refused:
    /// false, and nothing changed, where the entry is another version, has expired or is not there. One atomic step; two
    /// requests where session and entry are items apart. It leaves no marker: a session id never comes again.
    ///
    /// # Errors
    /// [`SignedOut`](crate::ErrorKind::SignedOut) where the session has ended, by an earlier send of this request perhaps; the
    /// store's own failures.
    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool>;
}
