use std::time::Duration;

use crate::{LockOwner, Published, ServerId, SessionId, SessionRecord, Timestamp, Version};

/// The default time for which a store keeps a not-before time: 30 minutes, counted from when the store receives it. A not-before time is
/// the time of a sign-out, up to which the store refuses sign-ins.
///
/// It is longer than a user's sign-in can take, which is at most 29 minutes, the largest
/// [`sign_in_timeout`](crate::TokenCacheBuilder::sign_in_timeout). A sign-in that began before a sign-out is therefore still refused when
/// it arrives (G2). With [`longest_assertion`](crate::TokenCacheBuilder::longest_assertion), a not-before time is kept for at least that
/// duration plus five minutes.
pub const NOT_BEFORE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The input of [`TokenStore::begin`](crate::TokenStore::begin): the session to begin, the deadline of the request, and the limit of
/// sessions.
///
/// The function [`protocol::sign_in`](fn@crate::protocol::sign_in) creates it. Apps call
/// [`TokenCache::sign_in`](crate::TokenCache::sign_in) instead.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BeginSession {
    /// The record of the new session, which the store keeps until the session ends.
    pub record: SessionRecord,
    /// The deadline of this request, on the store's own clock. The store refuses a request that arrives at this time or later with
    /// [`SignedOut`](crate::ErrorKind::SignedOut), for example because the network delayed it.
    pub not_after: Timestamp,
    /// The ids of sessions that earlier attempts of the same sign-in may have begun. The store removes them in the same step in which it
    /// begins the new session. Empty by default.
    pub supersedes: Vec<SessionId>,
    /// The largest number of living sessions of the new session's kind in the account, including the new session: 100 by default. If there
    /// would be more, the store ends the oldest ones. A value of zero counts as one.
    pub max_sessions: usize,
    /// The time on the store's clock, as the app server estimates it. A session whose lifetime ends at this time or earlier counts as
    /// ended.
    pub now: Timestamp,
}

impl BeginSession {
    /// The default of [`max_sessions`](Self::max_sessions): 100 sessions of each kind in an account.
    /// [`TokenCacheBuilder::open`](crate::TokenCacheBuilder::open) refuses a larger setting with [`Misuse`](crate::ErrorKind::Misuse).
    pub const MAX_SESSIONS: usize = 100;

    /// Creates the input for the first attempt of a sign-in: `supersedes` is empty, and `max_sessions` is
    /// [`MAX_SESSIONS`](Self::MAX_SESSIONS). The parameters are the fields of the same names.
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

/// The result of [`TokenStore::begin`](crate::TokenStore::begin): how many other sessions ended because the account had too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Begun {
    /// The number of the account's living sessions that the store ended because of [`max_sessions`](BeginSession::max_sessions). Zero if
    /// the new session did not exceed that limit.
    pub displaced: usize,
}

impl Begun {
    /// Creates the result of [`TokenStore::begin`](crate::TokenStore::begin). A store calls it. `displaced` is the number of living
    /// sessions that the store ended because of [`max_sessions`](BeginSession::max_sessions).
    pub const fn displacing(displaced: usize) -> Self {
        Self { displaced }
    }
}

/// The options of a read from a store: of a session, an entry, the sessions of an account, or background sessions.
///
/// The methods of [`TokenStore`](crate::TokenStore) and [`BackgroundSessions`](crate::BackgroundSessions) take them. Apps do not need them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The time on the store's clock, as the app server estimates it. A session or an entry that expires at this time or earlier is not
    /// returned.
    pub now: Timestamp,
    /// `true` if the result of the read will be stored in a near cache, `false` by default.
    ///
    /// A later sign-out must reach that near cache. If this is `true`, a store can therefore read from the database server to which this
    /// app server's [backplane connection](crate::BackplaneConnection) leads. The Redis store does so, unless it uses Redis Cluster. While
    /// the connection is lost, the read then fails with [`Unavailable`](crate::ErrorKind::Unavailable).
    ///
    /// If the connection was never opened or is closed, the store reads as if this were `false`. The near cache then stores nothing.
    pub for_near_cache: bool,
}

impl ReadOptions {
    /// Creates the options of a read at `now`, the time on the store's clock. The result of the read must not be stored in a near cache:
    /// for that, also call [`for_near_cache`](Self::for_near_cache).
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now,
            for_near_cache: false,
        }
    }

    /// Sets that the result of the read will be stored in a near cache. By default, it must not be stored there.
    pub const fn for_near_cache(mut self) -> Self {
        self.for_near_cache = true;
        self
    }
}

/// The least number of creating writes that a store remembers for each entry of a session: 64.
///
/// A creating write is one with [`PutMode::Create`]. If the network delivers a remembered write a second time, the second delivery changes
/// nothing, even if the entry was removed in between. A store may forget older creating writes: a second delivery of such a write could
/// create a removed entry again. See [`TokenStore::write`](crate::TokenStore::write).
pub const REMEMBERED_CREATIONS: usize = 64;

/// The precondition of a write: which entry the store must have under the [entry key](crate::EntryKey) for the write to take place.
///
/// [`Session::put_if`](crate::Session::put_if) takes it. If the precondition fails, the write stores nothing and returns
/// [`PutResult::PreconditionFailed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store that ignores one of them loses a refresh token"
)]
pub enum PutMode {
    /// The write has no precondition: it creates the entry, or replaces the present one.
    #[default]
    Overwrite,
    /// The store must have no entry under the entry key, or an expired one. The write creates the entry. The precondition fails if the
    /// store has an entry that has not expired.
    Create,
    /// The store must have an entry with this version, which the caller has read ([`Entry::version`](crate::Entry::version)). The write
    /// replaces the entry. The precondition fails if the entry has another version, or if there is no entry.
    Update(Version),
}

/// The options of [`TokenStore::write`](crate::TokenStore::write). Apps call [`Session::put`](crate::Session::put) instead.
///
/// By default a write has no precondition, releases no refresh lock, and need not wait for replicas.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WriteOptions {
    /// The precondition of the write: [`PutMode::Overwrite`] by default.
    pub mode: PutMode,
    /// The owner whose [refresh lock](crate::RefreshLocks) of the written entry is released by the write. `None`, the default, releases no
    /// lock.
    ///
    /// The lock is released even if the precondition fails. The store may release it in the same request. It may also count the lock as
    /// free because the entry no longer has the version that the owner read.
    pub releasing: Option<LockOwner>,
    /// `true` if the write must be confirmed as a sign-out is, `false` by default. A store that is configured to wait for replicas at a
    /// sign-out then waits until they confirm the write. For any other store, the value has no effect.
    ///
    /// A refresh writes the new tokens in this way, because the old refresh token is used up and is never sent again (G6).
    pub durable: bool,
    /// The time on the store's clock, as the app server estimates it. A session or an entry that expires at this time or earlier counts as
    /// missing.
    pub now: Timestamp,
}

impl WriteOptions {
    /// Creates the options of a write without a precondition, which releases no refresh lock and need not wait for replicas. `now` is the
    /// time on the store's clock, as the app server estimates it.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            mode: PutMode::Overwrite,
            releasing: None,
            durable: false,
            now,
        }
    }

    /// Sets [`durable`](Self::durable) to `true`; by default, it is `false`. A store that is configured to wait for replicas at a sign-out
    /// then waits until they confirm the write. For any other store, nothing changes.
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Sets the precondition of the write. By default, it is [`PutMode::Overwrite`]: the write has no precondition.
    pub const fn mode(mut self, mode: PutMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the owner whose [refresh lock](crate::RefreshLocks) of the entry the write releases. By default, the write releases no lock.
    pub const fn releasing(mut self, owner: LockOwner) -> Self {
        self.releasing = Some(owner);
        self
    }
}

/// The result of a write: whether the entry is stored. [`Session::put_if`](crate::Session::put_if) and
/// [`TokenStore::write`](crate::TokenStore::write) return it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stored or not")]
#[must_use = "a write whose precondition failed stored nothing"]
pub enum PutResult {
    /// The precondition was met, and the entry is stored.
    Stored,
    /// The precondition ([`PutMode`]) was not met, and the write changed nothing. The caller may read the present entry and decide again.
    PreconditionFailed,
}

/// The options of an eviction, which ends sessions in a store. [`TokenStore::evict`](crate::TokenStore::evict),
/// [`SidIndex::evict_accounts`](crate::SidIndex::evict_accounts) and [`RefreshLocks::end_if_version`](crate::RefreshLocks::end_if_version)
/// take them.
///
/// By default the store keeps a not-before time for [`NOT_BEFORE_LIFETIME`], and publishes no invalidation message.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EvictOptions {
    /// The time for which the store keeps the not-before time that the eviction sets, counted from when the store receives it: 30 minutes
    /// by default. If it is shorter than a sign-in may take, a sign-in that began before the sign-out can be accepted after it. An eviction
    /// whose [`EvictTarget`](crate::EvictTarget) sets no not-before time ignores this value.
    pub not_before_lifetime: Duration,
    /// The time on the store's clock, as the app server estimates it. A session whose lifetime ends at this time or earlier counts as ended
    /// already.
    pub now: Timestamp,
    /// The app server that signs out, if the store must publish an [invalidation message](crate::InvalidationMessage) for the eviction.
    /// Other app servers send their acknowledgements to this one. `None`, the default, publishes no message.
    ///
    /// The store publishes in the same step as the eviction or after it, even if the eviction ended no session. A store without a
    /// [`Backplane`](crate::Backplane) publishes nothing.
    pub publish: Option<ServerId>,
}

impl EvictOptions {
    /// Creates the options of an eviction that publishes no invalidation message, and whose not-before time is kept for 30 minutes. `now`
    /// is the time on the store's clock, as the app server estimates it.
    pub const fn at(now: Timestamp) -> Self {
        Self {
            not_before_lifetime: NOT_BEFORE_LIFETIME,
            now,
            publish: None,
        }
    }

    /// Sets that the store publishes an [invalidation message](crate::InvalidationMessage) to the app servers with near caches. By default,
    /// it publishes none. `signer` is the app server that signs out. It receives the acknowledgements of the others.
    pub const fn published_by(mut self, signer: ServerId) -> Self {
        self.publish = Some(signer);
        self
    }

    /// Sets how long the store keeps the not-before time that the eviction sets, counted from when the store receives it. By default, it is
    /// 30 minutes. With a time that is shorter than a sign-in may take, a sign-in that began before the sign-out can be accepted after it.
    pub const fn not_before_lifetime(mut self, not_before_lifetime: Duration) -> Self {
        self.not_before_lifetime = not_before_lifetime;
        self
    }
}

/// The result of [`TokenStore::evict`](crate::TokenStore::evict): whether a session ended, how many replicas confirmed it, and which app
/// servers must acknowledge it.
///
/// It has no number of ended sessions: counting them would take longer the more sessions an account has (G3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evicted {
    /// `true` if the eviction ended a session. `false` if its target selected no living session.
    pub ended: bool,
    /// The number of the store's replicas that have confirmed the eviction. `None` if the store is not configured to wait for replicas.
    pub replicas: Option<u32>,
    /// The invalidation message that the store published for the eviction, and the app servers that must acknowledge it. `None` if the
    /// store published none.
    pub published: Option<Published>,
}

impl Evicted {
    /// Creates the result of an eviction that published no invalidation message and waited for no replicas. A store calls it. `ended` is
    /// `true` if the eviction ended a session, and `false` if no living session matched.
    pub const fn new(ended: bool) -> Self {
        Self {
            ended,
            replicas: None,
            published: None,
        }
    }

    /// Sets the number of the store's replicas that have confirmed the eviction. `None`, the default, means that the store is not
    /// configured to wait for replicas.
    pub const fn confirmed_by(mut self, replicas: Option<u32>) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets the invalidation message that the store published for the eviction. By default, the store published none.
    pub fn published(mut self, published: Published) -> Self {
        self.published = Some(published);
        self
    }
}

/// The limits of a store: the largest value of an entry. [`TokenStore::capabilities`](crate::TokenStore::capabilities) returns it. A
/// [`TokenCache`](crate::TokenCache) refuses larger values before it sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The largest size of an entry's value, in bytes. [`TokenStore::write`](crate::TokenStore::write) refuses a larger value with
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// The value that an app passes to [`Session::put`](crate::Session::put) can have 46 bytes fewer: its encoding takes one byte, and its
    /// encryption 45 bytes.
    pub max_entry_bytes: usize,
}

impl Capabilities {
    /// Creates the limits of a store whose entries may have values of up to `max_entry_bytes` bytes. A store calls it.
    pub const fn new(max_entry_bytes: usize) -> Self {
        Self { max_entry_bytes }
    }
}
