use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{AccountKey, Result, entropy, hash_name::hash_name};

/// The id of an app server in its fleet: random, and new each time that a [`TokenCache`](crate::TokenCache) is opened.
///
/// It names the server in the registry of near-cache leases and in [`NearCacheOutcome::Cleared`](crate::NearCacheOutcome::Cleared).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId([u8; 16]);

impl ServerId {
    /// Creates a random id, for a server that starts.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// Returns the id with these bytes, as a store or a message holds them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the id, as a store holds them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerId({self})")
    }
}

hash_name! {
    /// The id of a registry of near-cache leases.
    ///
    /// The registry is a list in the store: the app servers that hold a lease, each as a [`LeaseHolder`]. A registry that was lost, for
    /// example because the store was emptied, and then created again has a new id. A new registry may lack leases that are still running.
    /// Therefore a sign-out waits for the longest lease, unless a server is known to have seen the registry for longer than that
    /// ([`AckWait`](crate::near_cache::AckWait)).
    RegistryId
}

hash_name! {
    /// The id of one attempt to send an invalidation message. The store creates it.
    ///
    /// A repeated message has a new id, so that an acknowledgement names the attempt.
    InvalidationId
}

impl RegistryId {
    /// Creates a random id, for a store that creates its registry.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

impl InvalidationId {
    /// Creates a random id, for a store that publishes an invalidation message.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// The near-cache entries that an invalidation message tells the app servers to drop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a listener that does not handle every variant breaks G1"
)]
pub enum Invalidation {
    /// The entries of these accounts.
    Accounts(Vec<AccountKey>),
    /// All entries, for a sign-out of too many accounts to name.
    Everything,
}

/// A message that tells app servers which near-cache entries to drop, and which server waits for their acknowledgements.
///
/// The store passes it to the [`InvalidationListener`] of each server with an open backplane connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct InvalidationMessage {
    /// The id of this message.
    pub id: InvalidationId,
    /// The server that waits for the acknowledgements and receives them. `None` if no server waits: no acknowledgement is sent then.
    pub origin: Option<ServerId>,
    /// The near-cache entries to drop.
    pub what: Invalidation,
}

/// An app server's confirmation that it has dropped the near-cache entries of an invalidation message.
///
/// [`InvalidationListener::published`] returns it, and the store sends it to the message's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct Acknowledgement {
    /// The invalidation message that it acknowledges.
    pub message: InvalidationId,
    /// The server that has dropped its entries.
    pub server: ServerId,
    /// The registry that this server has known, on its present backplane connection, for longer than any lease. It contains every lease
    /// that runs. `None` if the server has not known its registry for that long, or has not read the length of the longest lease recently.
    pub knows: Option<RegistryId>,
}

/// An app server that holds a near-cache lease, as the registry lists it.
///
/// [`Published::holders`] names the servers that a sign-out waits for. [`BackplaneConnection::reap`] takes those that did not acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of the registry")]
pub struct LeaseHolder {
    /// The server.
    pub server: ServerId,
    /// The number of its last renewal. No other renewal ever has it, even after the registry was lost, or after a failover to a replica
    /// that lacked the last renewals. [`BackplaneConnection::reap`] removes a server only if this is still its number.
    pub renewal: u64,
}

/// The result of publishing an invalidation message: its id, and the servers that must acknowledge it.
///
/// The store reads the holders of leases in the same step in which it publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an answer of the protocol")]
pub struct Published {
    /// The id of this message.
    pub id: InvalidationId,
    /// The registry that the holders were read from. `None` if the store cannot tell that it is the registry of this server's backplane
    /// connection. A sign-out then waits for the longest lease.
    pub registry: Option<RegistryId>,
    /// The servers that held a lease at that time. The origin is one of them if it holds a lease.
    pub holders: Vec<LeaseHolder>,
}

/// The listener of an app server, which its backplane connection passes messages to. A [`TokenCache`](crate::TokenCache) brings its own.
///
/// Calls come in the order in which the store took the messages. They must not block.
pub trait InvalidationListener: fmt::Debug + Send + Sync + 'static {
    /// Drops the near-cache entries that the message names, and returns the acknowledgement for the origin. The entries are gone when it
    /// returns.
    ///
    /// Returns `None` if no acknowledgement is to be sent: the message has no origin, this server is the origin, or it has no near cache.
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement>;

    /// Receives another server's acknowledgement of an invalidation message that has this server as its origin.
    fn acknowledged(&self, acknowledgement: &Acknowledgement);
}

/// The part of a store that notifies app servers with near caches of sign-outs. It is optional.
///
/// Without it, near-cache entries expire only by age, and each sign-out waits for their maximum age.
///
/// [`TokenStore::evict`](crate::TokenStore::evict) publishes an invalidation message if
/// [`EvictOptions::publish`](crate::EvictOptions::publish) is set, after the eviction or in the same step.
#[async_trait]
pub trait Backplane: Send + Sync {
    /// Opens the backplane connection of an app server. After it returns, the listener receives every invalidation message that the store
    /// takes, until the connection is [lost](BackplaneConnection::lost).
    ///
    /// # Errors
    /// The store's own failures.
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>>;

    /// Publishes an invalidation message for changes that no [`TokenStore::evict`](crate::TokenStore::evict) has published, for example for
    /// many accounts that were evicted at once. Sends one request.
    ///
    /// Acknowledgements go to `origin`. If it is `None`, no server acknowledges.
    ///
    /// # Errors
    /// The store's own failures. The message may have been published.
    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published>;
}

/// An app server's open connection to the backplane, which [`Backplane::connect`] returns.
///
/// The server renews its near-cache lease over it, and its listener receives the invalidation messages. Dropping it closes the connection.
#[async_trait]
pub trait BackplaneConnection: fmt::Debug + Send + Sync + 'static {
    /// Enters this server in the registry of near-cache leases, or renews its entry there, and returns the registry's id.
    ///
    /// Sends one request, which is a write: a demoted primary refuses it. When it returns, the listener has received every invalidation
    /// message that the store took before the renewal.
    ///
    /// An id that differs from the last one means that the registry was lost, and with it perhaps all data of the store.
    /// [`NearCacheLease::renewed`](crate::near_cache::NearCacheLease::renewed) then invalidates all near-cache entries of this server. A
    /// [`TokenCache`](crate::TokenCache) also gives up its lease. It serves near-cache entries again three seconds after it has read the
    /// namespace's record.
    ///
    /// # Errors
    /// The store's own failures. The connection cannot be used any more.
    async fn renew(&self) -> Result<RegistryId>;

    /// Returns the id of the registry of near-cache leases, without entering this server. Creates the registry if it does not exist. Sends
    /// one request, which is a write.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn registry(&self) -> Result<RegistryId>;

    /// Removes servers that did not acknowledge from the registry, so that later sign-outs do not wait for them. A server whose number of
    /// the last renewal has changed since stays. Sends one request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()>;

    /// Removes this server from the registry, so that no sign-out waits for it. The caller must have stopped serving near-cache entries.
    /// Sends one request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn leave(&self) -> Result<()>;

    /// Returns when the connection is lost. The listener may have missed invalidation messages for some time before that.
    async fn lost(&self);
}
