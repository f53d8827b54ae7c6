use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{BootInstant, BootTime, FleetConfigWatch};
use crate::{
    AccountKey, Entry, EntryAddress, Invalidation, NearCacheOutcome, Result, ServerId, SessionId,
    SessionRecord, Timestamp, TokenStore, Wait, protocol::StoreSignOut,
};

/// The settings of a near cache, which [`TokenCacheBuilder::near_cache`](crate::TokenCacheBuilder::near_cache) takes. The crate
/// `token-cache-near-cache` implements it. Apps do not.
#[async_trait]
pub trait NearCacheSettings: fmt::Debug + Send + Sync + 'static {
    /// Checks the settings before any request is sent.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if a setting is out of its range.
    fn check(&self) -> Result<()>;

    /// Returns the longest time for which this server may serve a near-cache entry without contact to other servers, on a store with or
    /// without a [backplane](crate::Backplane). Zero if this server serves none.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) if the settings are invalid for such a store.
    fn longest_life(&self, has_backplane: bool) -> Result<Duration>;

    /// Opens the near cache of the server `member`. It serves nothing before the fleet knows of it: see
    /// [`FleetConfig::serves_from`](super::FleetConfig::serves_from). Called within a tokio runtime.
    ///
    /// # Errors
    /// [`Misuse`](crate::ErrorKind::Misuse) as [`longest_life`](Self::longest_life). An error of the store's backplane that is not
    /// [retryable](crate::Error::is_retryable).
    async fn open(&self, member: FleetMember) -> Result<Arc<dyn NearCache>>;
}

/// An app server as a member of its fleet: what its near cache needs to take part in the invalidation protocol.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an input that every near cache needs whole"
)]
pub struct FleetMember {
    /// The id of the server, to which other servers send their acknowledgements.
    pub server: ServerId,
    /// The store, whose backplane carries the messages.
    pub store: Arc<dyn TokenStore>,
    /// The settings of near caches in the namespace record, as the server knows them.
    pub config: FleetConfigWatch,
    /// The clock that measures leases and the ages of near-cache entries.
    pub clock: Arc<dyn BootTime>,
}

/// The near cache of an app server, and the server's part in the invalidation protocol of its fleet. A [`TokenCache`](crate::TokenCache)
/// calls it on each read, change and sign-out.
///
/// The methods that are not `async` do no I/O and do not block.
#[async_trait]
pub trait NearCache: fmt::Debug + Send + Sync + 'static {
    /// Returns the entry at `at`. Returns `None` if the near cache does not have it, or must not serve it: the read must then go to the
    /// store. `now` is the current time on the store's clock.
    fn entry(&self, at: &EntryAddress, now: Timestamp) -> Option<Entry>;

    /// Returns the record of a session, under the conditions of [`entry`](Self::entry).
    fn session(
        &self,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Option<SessionRecord>;

    /// Returns the validity of the result of a read of this account that is sent now.
    fn validity(&self, account: &AccountKey) -> Validity;

    /// Returns whether the result of a read with this validity may be served now (G1).
    fn may_serve(&self, account: &AccountKey, validity: Validity) -> bool;

    /// Stores an entry that a read returned, if it may still be served. `validity` is from before the read was sent.
    fn keep_entry(&self, at: &EntryAddress, entry: &Entry, validity: Validity);

    /// Stores a session's record that a read returned, as [`keep_entry`](Self::keep_entry) stores an entry.
    fn keep_session(&self, account: &AccountKey, record: &SessionRecord, validity: Validity);

    /// Drops the near-cache entries of this server that `what` names. When the method returns, none of them can be served, and reads that
    /// are in progress do not store their results.
    fn forget(&self, what: &Invalidation);

    /// Publishes, in a task of its own, that other servers must drop their near-cache entries of an account.
    fn publish(&self, account: &AccountKey);

    /// Opens the backplane connection, if any server of the fleet has a near cache and it is not open. Called within a tokio runtime, at
    /// each sign-out and each second.
    fn start(&self);

    /// Waits until no server can serve a near-cache entry of what `ended` has ended, or returns at once, as `wait` says. Evictions that the
    /// store did not publish are published first. This server has dropped its own entries before.
    ///
    /// `longest` is the longest life of a near-cache entry on any server, read after the evictions were answered.
    ///
    /// # Errors
    /// The store's own failures. Near caches may then still serve ended sessions.
    async fn clear(
        &self,
        ended: &StoreSignOut,
        longest: Duration,
        wait: Wait,
    ) -> Result<NearCacheOutcome>;

    /// Waits until this server, which gives up its lease, is in no registry of leases any more. [`FleetConfig::leaving`](super::FleetConfig)
    /// has been set before.
    async fn left(&self);

    /// Returns the size of the near cache and the rest of the lease. `None` if this server serves no near-cache entries.
    fn stats(&self) -> Option<NearCacheStats>;
}

/// The conditions under which a near cache may serve the result of a read. No invalidation has come since the read was sent, and the maximum
/// age has not passed. A near cache stores it with the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a value of the near cache's own")]
pub struct Validity {
    /// The value of the account's invalidation counters before the read was sent.
    pub counter: u64,
    /// The time at which the result reaches its maximum age.
    pub expires_at: BootInstant,
}

/// The state of this app server's near cache: its size, and the time until its lease ends.
/// [`TokenCache::near_cache`](crate::TokenCache::near_cache) returns it, for example for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NearCacheStats {
    /// The number of accounts and of items in the near cache, and the bytes of the items. Items that may not be served any more count until
    /// they are dropped.
    pub size: NearCacheSize,
    /// The time until this app server's lease ends. The lease is its right to serve near-cache entries. `None` if the store has no
    /// [`Backplane`](crate::Backplane): there is no lease then, and near-cache entries expire only by age.
    ///
    /// The time is zero if the lease has expired or was given up, and in the first seconds after a server starts. All reads then go to the
    /// store.
    pub lease_left: Option<Duration>,
}

impl NearCacheStats {
    /// Creates the state of a near cache. The near cache itself calls it.
    pub const fn new(size: NearCacheSize, lease_left: Option<Duration>) -> Self {
        Self { size, lease_left }
    }
}

/// The size of this app server's near cache, in [`NearCacheStats::size`](NearCacheStats::size). Items that may not be served any
/// more count until they are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NearCacheSize {
    /// The number of accounts that have at least one item in the near cache.
    pub accounts: usize,
    /// The number of items in the near cache. An item is an entry or a session record.
    pub items: usize,
    /// The bytes of all items. An entry counts as the bytes of its value plus 288, and a session record as 288 bytes.
    pub bytes: usize,
}

impl NearCacheSize {
    /// Creates the size of a near cache. The near cache itself calls it.
    pub const fn new(accounts: usize, items: usize, bytes: usize) -> Self {
        Self {
            accounts,
            items,
            bytes,
        }
    }
}
