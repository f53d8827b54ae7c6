use std::time::Duration;

use crate::{LockOwner, Published, ServerId, SessionId, SessionRecord, Timestamp, Version};

/// How long a not-before time is stored, counted from when the store receives it: longer than any sign-in may take.
pub const NOT_BEFORE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// A session to begin, for [`TokenStore::begin`](crate::TokenStore::begin).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BeginSession {
    /// The record to store.
    pub record: SessionRecord,
    /// The deadline on the store's own clock. From then on the request is refused, whatever delayed it.
    pub not_after: Timestamp,
    /// Sessions that earlier attempts of this sign-in may have begun. They are removed by their ids.
    pub supersedes: Vec<SessionId>,
    /// The most sessions of this kind that may live in the account. When the limit is exceeded, the oldest session is ended.
    pub max_sessions: usize,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
}

impl BeginSession {
    /// The most sessions of each kind that may live in an account, by default.
    pub const MAX_SESSIONS: usize = 100;

    /// Returns the request to begin `record`, to be refused from `not_after` on. `now` is the time on the store's clock.
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

/// The result of [`TokenStore::begin`](crate::TokenStore::begin).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Begun {
    /// The number of living sessions that were ended because of `max_sessions`.
    pub displaced: usize,
}

impl Begun {
    /// Returns the result of a `begin` that ended `displaced` other sessions.
    pub const fn displacing(displaced: usize) -> Self {
        Self { displaced }
    }
}

/// The options of a read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
    /// `true` if the answer will be stored in a near cache.
    ///
    /// A store with a [`Backplane`](crate::Backplane) then reads at the server that its backplane is connected to. An eviction of what was
    /// read is therefore published there. The read fails with [`Unavailable`](crate::ErrorKind::Unavailable) while that connection is lost.
    /// If the connection was never opened or is closed, the store reads as usual: no lease is valid then, and nothing is cached.
    pub for_near_cache: bool,
}

impl ReadOptions {
    /// Returns the options of a read at `now`, on the store's clock.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now,
            for_near_cache: false,
        }
    }

    /// Marks the answer as one that will be stored in a near cache.
    pub const fn for_near_cache(mut self) -> Self {
        self.for_near_cache = true;
        self
    }
}

/// The number of writes with [`PutMode::Create`] that a store remembers at least, for each entry of a session. A late copy of one of
/// them creates nothing. See [`TokenStore::write`](crate::TokenStore::write).
pub const REMEMBERED_CREATIONS: usize = 64;

/// The precondition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that ignores one of them loses a refresh token"
)]
pub enum PutMode {
    /// Replaces any entry.
    #[default]
    Overwrite,
    /// Creates the entry. The precondition fails if an entry exists.
    Create,
    /// Replaces exactly this version, the one that was read.
    Update(Version),
}

/// The options of a write.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WriteOptions {
    /// The precondition.
    pub mode: PutMode,
    /// The owner of a refresh lock of this entry. The lock is released with the write, whether the entry is stored or not. The store
    /// may release it in the same request. It may also count the lock as free because the version is no longer the one that the owner saw.
    pub releasing: Option<LockOwner>,
    /// `true` if the write must be as durable as a sign-out, for example confirmed by the replicas that a store was configured to wait
    /// for. The result of a refresh is written so (G6), since the refresh token that it replaces cannot be sent again.
    pub durable: bool,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
}

impl WriteOptions {
    /// Returns the options of an unconditional write at `now`, on the store's clock.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            mode: PutMode::Overwrite,
            releasing: None,
            durable: false,
            now,
        }
    }

    /// Requires the write to be as durable as a sign-out.
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Sets the precondition.
    pub const fn mode(mut self, mode: PutMode) -> Self {
        self.mode = mode;
        self
    }

    /// Releases the lock that `owner` has on the entry.
    pub const fn releasing(mut self, owner: LockOwner) -> Self {
        self.releasing = Some(owner);
        self
    }
}

/// The result of [`TokenStore::write`](crate::TokenStore::write).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stored or not")]
#[must_use = "a write whose precondition failed stored nothing"]
pub enum PutResult {
    /// The entry is stored.
    Stored,
    /// The stored version is not the one that the write required; nothing changed. Read the entry again.
    PreconditionFailed,
}

/// The options of an eviction.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EvictOptions {
    /// How long the not-before time is stored, counted from when the store receives it.
    pub not_before_lifetime: Duration,
    /// The time on the store's clock, which decides what has expired.
    pub now: Timestamp,
    /// The server that publishes the eviction to servers with near caches and receives their acknowledgements, or `None` to publish
    /// nothing. The store publishes in the same step or after it, even if it ended nothing. A store without a
    /// [`Backplane`](crate::Backplane) publishes nothing.
    pub publish: Option<ServerId>,
}

impl EvictOptions {
    /// Returns the options of an eviction at `now`, on the store's clock, with the default lifetime of the not-before time.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            not_before_lifetime: NOT_BEFORE_LIFETIME,
            now,
            publish: None,
        }
    }

    /// Publishes the eviction with this server as its origin.
    pub const fn published_by(mut self, signer: ServerId) -> Self {
        self.publish = Some(signer);
        self
    }

    /// Sets how long the not-before time is stored.
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
    /// `true` if a session was ended, `false` if the target selected none.
    pub ended: bool,
    /// The number of replicas that have confirmed it, if the store was configured to wait for them.
    pub replicas: Option<u32>,
    /// The acknowledgements to wait for, if it was published.
    pub published: Option<Published>,
}

impl Evicted {
    /// Returns the result of an eviction that ended a session, or of one that ended none.
    pub const fn new(ended: bool) -> Self {
        Self {
            ended,
            replicas: None,
            published: None,
        }
    }

    /// Sets how many replicas have confirmed it, if the store was configured to wait for them.
    pub const fn confirmed_by(mut self, replicas: Option<u32>) -> Self {
        self.replicas = replicas;
        self
    }

    /// Records that it was published.
    pub fn published(mut self, published: Published) -> Self {
        self.published = Some(published);
        self
    }
}

/// The limits of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The most bytes an entry may have.
    pub max_entry_bytes: usize,
}

impl Capabilities {
    /// Returns the capabilities of a store with this limit.
    pub const fn new(max_entry_bytes: usize) -> Self {
        Self { max_entry_bytes }
    }
}
