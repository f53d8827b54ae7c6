use std::time::Duration;

use crate::{LockOwner, Published, ServerId, SessionId, SessionRecord, Timestamp, Version};

/// The default lifetime of a not-before time: 30 minutes, counted from when the store receives it.
///
/// A user's sign-in may take at most 29 minutes. So a sign-in that began before a sign-out is still refused when it arrives (G2). With
/// [`longest_assertion`](crate::TokenCacheBuilder::longest_assertion), a not-before time is stored for longer.
pub const NOT_BEFORE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The input of [`TokenStore::begin`](crate::TokenStore::begin): the session to begin, and the conditions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BeginSession {
    /// The record to store.
    pub record: SessionRecord,
    /// The deadline of the request, on the store's own clock. From this time on the store refuses the request, for example because the
    /// network delayed it.
    pub not_after: Timestamp,
    /// The ids of sessions that earlier attempts of this sign-in may have begun. The store removes these sessions in the same step in
    /// which it begins the new one. Empty by default.
    pub supersedes: Vec<SessionId>,
    /// The most living sessions of the new session's kind in the account, including the new session: 100 by default. If there would be
    /// more, the oldest ones are ended.
    pub max_sessions: usize,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
}

impl BeginSession {
    /// The default of `max_sessions`: 100 sessions of each kind.
    pub const MAX_SESSIONS: usize = 100;

    /// Creates a request to begin `record`, which the store refuses from `not_after` on. `now` is the time on the store's clock.
    ///
    /// It supersedes no session, and the limit is [`MAX_SESSIONS`](Self::MAX_SESSIONS).
    pub const fn new(record: SessionRecord, not_after: Timestamp, now: Timestamp) -> Self {
        Self {
            record,
            not_after,
            supersedes: Vec::new(),
            max_sessions: Self::MAX_SESSIONS,
            now,
        }
    }
}

/// The result of [`TokenStore::begin`](crate::TokenStore::begin): how many other sessions the new one displaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Begun {
    /// The number of living sessions that were ended because of `max_sessions`.
    pub displaced: usize,
}

impl Begun {
    /// Creates the result of a `begin` that ended `displaced` other sessions because of `max_sessions`.
    pub const fn displacing(displaced: usize) -> Self {
        Self { displaced }
    }
}

/// The options of a read: of a session, an entry, the list of sessions, or background sessions.
///
/// [`TokenStore`](crate::TokenStore) and [`BackgroundSessions`](crate::BackgroundSessions) take them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
    /// `true` if the result of the read will be stored in a near cache, `false` by default.
    ///
    /// If it is `true`, a store with a [`Backplane`](crate::Backplane) reads at the server of the store that its backplane connection uses.
    /// A later eviction of the result is published there, so the near cache receives the invalidation message. While that connection is
    /// lost, the read fails with [`Unavailable`](crate::ErrorKind::Unavailable). If the connection was never opened or is closed, the store
    /// reads as usual: then no lease is valid, and the near cache stores nothing.
    pub for_near_cache: bool,
}

impl ReadOptions {
    /// Creates the options of a read at `now`, on the store's clock. The result must not be stored in a near cache.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now,
            for_near_cache: false,
        }
    }

    /// Sets that the result of the read will be stored in a near cache.
    pub const fn for_near_cache(mut self) -> Self {
        self.for_near_cache = true;
        self
    }
}

/// The least number of writes with [`PutMode::Create`] that a store remembers for each entry of a session: 64.
///
/// If the network delivers a remembered write a second time, the late copy creates nothing. See
/// [`TokenStore::write`](crate::TokenStore::write).
pub const REMEMBERED_CREATIONS: usize = 64;

/// The precondition of a write, which the stored entry must meet.
///
/// If the precondition fails, the write stores nothing and returns [`PutResult::PreconditionFailed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that ignores one of them loses a refresh token"
)]
pub enum PutMode {
    /// No precondition: the write replaces any entry, or creates one.
    #[default]
    Overwrite,
    /// Creates the entry. The precondition fails if an entry exists.
    Create,
    /// Replaces the entry if it still has this version, which the caller read. The precondition fails if the store has another version, or
    /// no entry.
    Update(Version),
}

/// The options of [`TokenStore::write`](crate::TokenStore::write).
///
/// By default a write is unconditional, releases no refresh lock, and is no more durable than the store's usual writes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WriteOptions {
    /// The precondition: [`PutMode::Overwrite`] by default.
    pub mode: PutMode,
    /// The owner whose refresh lock of this entry is released with the write, or `None` (the default) to release no lock.
    ///
    /// The owner's lock is released whether the entry is stored or not. The store may release it in the same request. It may also count the
    /// lock as free because the entry no longer has the version that the owner saw.
    pub releasing: Option<LockOwner>,
    /// `true` if the write must be as durable as a sign-out, `false` by default. For example, a store that is configured to wait for
    /// replicas then waits until they confirm the write.
    ///
    /// The result of a refresh is written so, because the refresh token that it replaces is spent and is never sent again (G6).
    pub durable: bool,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
}

impl WriteOptions {
    /// Creates the options of an unconditional write that releases no lock. `now` is the time on the store's clock.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            mode: PutMode::Overwrite,
            releasing: None,
            durable: false,
            now,
        }
    }

    /// Sets that the write must be as durable as a sign-out. By default, it is not.
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Sets the precondition.
    pub const fn mode(mut self, mode: PutMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the owner whose refresh lock of the entry is released with the write.
    pub const fn releasing(mut self, owner: LockOwner) -> Self {
        self.releasing = Some(owner);
        self
    }
}

/// The result of [`TokenStore::write`](crate::TokenStore::write) and [`Session::put_if`](crate::Session::put_if): whether the entry is
/// stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stored or not")]
#[must_use = "a write whose precondition failed stored nothing"]
pub enum PutResult {
    /// The precondition was met, and the entry is stored.
    Stored,
    /// The stored entry does not meet the [`PutMode`], and the write did not change it. Read the entry again.
    PreconditionFailed,
}

/// The options of an eviction, for [`TokenStore::evict`](crate::TokenStore::evict),
/// [`SidIndex::evict_accounts`](crate::SidIndex::evict_accounts) and [`RefreshLocks::end_if_version`](crate::RefreshLocks::end_if_version).
///
/// By default the not-before time is stored for [`NOT_BEFORE_LIFETIME`], and nothing is published.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EvictOptions {
    /// How long the not-before time is stored, counted from when the store receives it: 30 minutes by default.
    pub not_before_lifetime: Duration,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
    /// The app server that receives the acknowledgements of the invalidation message, or `None` (the default) to publish no message.
    ///
    /// The store publishes the message in the same step as the eviction or after it, even if the eviction ended no session. A store without
    /// a [`Backplane`](crate::Backplane) publishes nothing.
    pub publish: Option<ServerId>,
}

impl EvictOptions {
    /// Creates the options of an eviction that is not published. `now` is the time on the store's clock.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            not_before_lifetime: NOT_BEFORE_LIFETIME,
            now,
            publish: None,
        }
    }

    /// Sets the app server that is the origin of the eviction. The store then publishes the eviction to the servers with near caches.
    pub const fn published_by(mut self, signer: ServerId) -> Self {
        self.publish = Some(signer);
        self
    }

    /// Sets how long the not-before time is stored, instead of 30 minutes.
    pub const fn not_before_lifetime(mut self, not_before_lifetime: Duration) -> Self {
        self.not_before_lifetime = not_before_lifetime;
        self
    }
}

/// The result of [`TokenStore::evict`](crate::TokenStore::evict).
///
/// It has no count: an eviction that counted the ended sessions would have to visit each one (G3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evicted {
    /// `true` if the eviction ended a session, `false` if the target selected no living session.
    pub ended: bool,
    /// The number of replicas that have confirmed the eviction. `None` if the store was not configured to wait for replicas.
    pub replicas: Option<u32>,
    /// The published invalidation message and the servers to wait for. `None` if nothing was published.
    pub published: Option<Published>,
}

impl Evicted {
    /// Creates the result of an eviction. `ended` is `true` if it ended a session.
    ///
    /// `replicas` and `published` are `None`.
    pub const fn new(ended: bool) -> Self {
        Self {
            ended,
            replicas: None,
            published: None,
        }
    }

    /// Sets how many replicas have confirmed the eviction, or `None` if the store was not configured to wait for replicas.
    pub const fn confirmed_by(mut self, replicas: Option<u32>) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets the invalidation message that the store published for the eviction.
    pub fn published(mut self, published: Published) -> Self {
        self.published = Some(published);
        self
    }
}

/// The limits of a store, which [`TokenStore::capabilities`](crate::TokenStore::capabilities) returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The most bytes that the stored value of an entry may have. The store refuses a larger one as
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    pub max_entry_bytes: usize,
}

impl Capabilities {
    /// Creates the capabilities of a store whose entries may have `max_entry_bytes`.
    pub const fn new(max_entry_bytes: usize) -> Self {
        Self { max_entry_bytes }
    }
}
