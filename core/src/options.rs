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
    /// The deadline, on the store's own clock. From then on the store refuses the request, whatever delayed it.
    pub not_after: Timestamp,
    /// The ids of sessions that earlier attempts of this sign-in may have begun. The store removes these sessions in the same step. Empty
    /// by default.
    pub supersedes: Vec<SessionId>,
    /// The most sessions of this kind that may live in the account, with the new one: 100 by default. When the limit is exceeded, the
    /// oldest session is ended.
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
    /// `true` if the answer will be stored in a near cache, `false` by default.
    ///
    /// A store with a [`Backplane`](crate::Backplane) then reads at the server of the store that its backplane is connected to. Therefore
    /// an eviction of the result is published there. The read fails with [`Unavailable`](crate::ErrorKind::Unavailable) while that
    /// connection is lost. If the connection was never opened or is closed, the store reads as usual: no lease is valid then, and nothing
    /// is cached.
    pub for_near_cache: bool,
}

impl ReadOptions {
    /// Creates the options of a read at `now`, on the store's clock. The answer must not be stored in a near cache.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now,
            for_near_cache: false,
        }
    }

    /// Sets that the answer will be stored in a near cache.
    pub const fn for_near_cache(mut self) -> Self {
        self.for_near_cache = true;
        self
    }
}

/// The number of writes with [`PutMode::Create`] that a store remembers at least, for each entry of a session: 64.
///
/// A late copy of one of them creates nothing, see [`TokenStore::write`](crate::TokenStore::write).
pub const REMEMBERED_CREATIONS: usize = 64;

/// The precondition of a write, which the stored entry must meet.
///
/// If it fails, the write stores nothing and returns [`PutResult::PreconditionFailed`].
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
    /// Replaces exactly this version, the one that was read. The precondition fails if another version, or no entry, exists.
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
    /// The owner of a refresh lock of this entry, or `None` (the default) to release no lock.
    ///
    /// The lock is released with the write, whether the entry is stored or not. The store may release it in the same request. It may also
    /// count the lock as free because the version is no longer the one that the owner saw.
    pub releasing: Option<LockOwner>,
    /// `true` if the write must be as durable as a sign-out, `false` by default. An example is a write that is confirmed by the replicas
    /// that a store was configured to wait for. The result of a refresh is written so (G6), since the refresh token that it replaces cannot
    /// be sent again.
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

    /// Sets that the write must be as durable as a sign-out.
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
    /// The store publishes in the same step or after it, even if it ended nothing. A store without a [`Backplane`](crate::Backplane)
    /// publishes nothing.
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
    /// Replicas and message are `None`.
    pub const fn new(ended: bool) -> Self {
        Self {
            ended,
            replicas: None,
            published: None,
        }
    }

    /// Sets how many replicas have confirmed it, or `None` if the store was not configured to wait for them.
    pub const fn confirmed_by(mut self, replicas: Option<u32>) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets the invalidation message that was published for it.
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
