use std::time::Duration;

use crate::{LockOwner, Published, ServerId, SessionId, SessionRecord, Timestamp, Version};

/// How long a marker lives, counted from its landing: longer than any sign-in may take.
pub const NOT_BEFORE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// A session to begin: see [`TokenStore::begin`](crate::TokenStore::begin).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BeginSession {
    /// What is recorded of it.
    pub record: SessionRecord,
    /// From this moment of the store's own clock on, the request is refused, however it came to be so late.
    pub not_after: Timestamp,
    /// Sessions that earlier sends of this sign-in may have begun; they are removed by name.
    pub supersedes: Vec<SessionId>,
    /// How many sessions of the account and of this one's kind may live; the one begun first ends for this one.
    pub max_sessions: usize,
    /// The moment, on the store's clock, for what is expired.
    pub now: Timestamp,
}

impl BeginSession {
    /// How many sessions of an account may live, of each kind, unless said otherwise.
    pub const MAX_SESSIONS: usize = 100;

    /// Begins `record`, if the request lands before `not_after`; `now` is the moment on the store's clock.
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

/// What [`TokenStore::begin`](crate::TokenStore::begin) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Begun {
    /// How many living sessions ended to keep to `max_sessions`.
    pub displaced: usize,
}

impl Begun {
    /// A session begun at the cost of `displaced` others.
    pub const fn displacing(displaced: usize) -> Self {
        Self { displaced }
    }
}

/// How to read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The moment, on the store's clock, for what is expired.
    pub now: Timestamp,
    /// Whether the answer is to be kept as a near-cache entry: a store with a [`Backplane`](crate::Backplane) reads at the server that its backplane
    /// leads to, so that whatever ends what was read is published there, or fails with
    /// [`Unavailable`](crate::ErrorKind::Unavailable) while that link is lost. One whose link is not open reads as ever: its lease has
    /// ended, and nothing is kept.
    pub for_near_cache: bool,
}

impl ReadOptions {
    /// A read at `now`, a moment of the store's clock.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now,
            for_near_cache: false,
        }
    }

    /// Reads what is to be kept as a near-cache entry.
    pub const fn for_near_cache(mut self) -> Self {
        self.for_near_cache = true;
        self
    }
}

/// The number of writes over [`PutMode::Create`] that a store remembers for each entry of a session, at the least: a copy of one of
/// them that arrives late creates nothing. See [`TokenStore::write`](crate::TokenStore::write).
pub const REMEMBERED_CREATIONS: usize = 64;

/// What a write may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that ignores one of them loses a refresh token"
)]
pub enum PutMode {
    /// Replaces whatever is there.
    #[default]
    Overwrite,
    /// Creates the entry. The precondition fails if an entry is there.
    Create,
    /// Replaces this version, the one that was read.
    Update(Version),
}

/// How to write.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WriteOptions {
    /// What the entry may replace.
    pub mode: PutMode,
    /// A refresh lock of this entry that is released with the write, whether it is stored or not: with the same request, or by
    /// the version that is there then, other than the lock's holder saw, being freedom enough.
    pub releasing: Option<LockOwner>,
    /// Whether the write counts only once it is as safe as a sign-out, such as on the replicas of a store that is told to wait for them.
    /// What a refresh stores is written so (G6): the refresh token that it replaces cannot be sent again.
    pub durable: bool,
    /// The moment, on the store's clock, for what is expired.
    pub now: Timestamp,
}

impl WriteOptions {
    /// An unconditional write at `now`, a moment of the store's clock.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            mode: PutMode::Overwrite,
            releasing: None,
            durable: false,
            now,
        }
    }

    /// Counts only once it is as safe as a sign-out.
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Writes only over this.
    pub const fn mode(mut self, mode: PutMode) -> Self {
        self.mode = mode;
        self
    }

    /// Releases this lock of the entry.
    pub const fn releasing(mut self, owner: LockOwner) -> Self {
        self.releasing = Some(owner);
        self
    }
}

/// What [`TokenStore::write`](crate::TokenStore::write) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stored or not")]
#[must_use = "a write whose precondition failed stored nothing"]
pub enum PutResult {
    /// The entry is stored.
    Stored,
    /// Another version is there than the write asked for; nothing changed. Read it.
    PreconditionFailed,
}

/// How to evict.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EvictOptions {
    /// How long the cut's marker lives, counted from its landing.
    pub not_before_lifetime: Duration,
    /// The moment, on the store's clock, for what is expired.
    pub now: Timestamp,
    /// Which server publishes it to those that keep near caches and hears their answers, where it is published: in the same step
    /// or after it, also where it ended nothing. A store without a [`Backplane`](crate::Backplane) publishes nothing.
    pub publish: Option<ServerId>,
}

impl EvictOptions {
    /// An eviction at `now`, a moment of the store's clock, with a marker of the usual life.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            not_before_lifetime: NOT_BEFORE_LIFETIME,
            now,
            publish: None,
        }
    }

    /// Has it published by this server.
    pub const fn published_by(mut self, signer: ServerId) -> Self {
        self.publish = Some(signer);
        self
    }

    /// Has the marker live so long.
    pub const fn not_before_lifetime(mut self, not_before_lifetime: Duration) -> Self {
        self.not_before_lifetime = not_before_lifetime;
        self
    }
}

/// What [`TokenStore::evict`](crate::TokenStore::evict) did.
///
/// It counts nothing: an eviction that counted what it ended would have to visit it (G3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evicted {
    /// True where a session ended; false where none stood in the cut's scope.
    pub ended: bool,
    /// How many replicas have it as well, where the store was set to wait for them.
    pub replicas: Option<u32>,
    /// Who has to be waited for, where it was published.
    pub published: Option<Published>,
}

impl Evicted {
    /// An eviction that ended a session, or none.
    pub const fn new(ended: bool) -> Self {
        Self {
            ended,
            replicas: None,
            published: None,
        }
    }

    /// Says how many replicas have it, where the store was set to wait for them.
    pub const fn confirmed_by(mut self, replicas: Option<u32>) -> Self {
        self.replicas = replicas;
        self
    }

    /// Says that it was published.
    pub fn published(mut self, published: Published) -> Self {
        self.published = Some(published);
        self
    }
}

/// What a store can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The most bytes an entry may have.
    pub max_entry_bytes: usize,
}

impl Capabilities {
    /// A store that takes entries of up to `max_entry_bytes` bytes.
    pub const fn new(max_entry_bytes: usize) -> Self {
        Self { max_entry_bytes }
    }
}
