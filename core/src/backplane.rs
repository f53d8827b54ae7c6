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
    /// The registry that `server` has known, on its present backplane connection, for longer than any lease lasts. Such a registry contains
    /// every lease that runs. `None` if `server` has not known its registry for that long, or has not read the longest lease recently.
    pub knows: Option<RegistryId>,
}

/// An app server that holds a near-cache lease, as the registry lists it.
///
/// [`Published::holders`] lists the servers that a sign-out waits for. The servers that did not acknowledge are then passed to
/// [`BackplaneConnection::reap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of the registry")]
pub struct LeaseHolder {
    /// The server.
    pub server: ServerId,
    /// The number of the server's last renewal. No other renewal ever has the same number, even after the registry was lost, or after a
    /// failover to a replica that lacked the last renewals. [`BackplaneConnection::reap`] removes a server only if the registry still has
    /// this number for it.
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
    /// The registry from which the store read `holders`. `None` if the store cannot tell whether this server's backplane connection uses
    /// the same registry. A sign-out then waits for the longest lease.
    pub registry: Option<RegistryId>,
    /// The servers that held a lease when the store published the message. The origin is one of them if it holds a lease.
    pub holders: Vec<LeaseHolder>,
}

/// The listener of an app server. A [`Backplane`] calls it for each message that the server receives.
///
/// A [`TokenCache`](crate::TokenCache) has its own listener and passes it to [`Backplane::connect`]. The backplane calls it in the order in
/// which the store took the messages. Its methods must not block.
pub trait InvalidationListener: fmt::Debug + Send + Sync + 'static {
    /// Drops the near-cache entries that the message names, before it returns. Returns the acknowledgement, which the store sends to the
    /// message's origin.
    ///
    /// Returns `None` if no acknowledgement is to be sent: the message has no origin, or this server is the origin or has no near cache.
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
    /// Opens the backplane connection of an app server. From then on the listener receives every invalidation message that the store takes,
    /// until the connection is [lost](BackplaneConnection::lost).
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
    /// The servers with near caches send their acknowledgements to `origin`. If `origin` is `None`, they send none.
    ///
    /// # Errors
    /// The store's own failures. The message may have been published.
    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published>;
}

/// An app server's open connection to the backplane, which [`Backplane::connect`] returns.
///
/// The server renews its near-cache lease over this connection, and the server's listener receives the invalidation messages. Dropping the
/// connection closes it.
#[async_trait]
pub trait BackplaneConnection: fmt::Debug + Send + Sync + 'static {
    /// Enters this server in the registry of near-cache leases, or renews its entry there, and returns the registry's id.
    ///
    /// Sends one request, which is a write: a demoted primary of the store refuses it. When the method returns, the listener has received
    /// every invalidation message that the store took before the renewal.
    ///
    /// If the id differs from that of the last call, the registry was lost, and perhaps all data of the store with it.
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

    /// Removes the servers in `silent` from the registry of near-cache leases, so that later sign-outs do not wait for them. Sends one
    /// request.
    ///
    /// The caller passes servers that did not acknowledge an invalidation message until their lease expired. A server is removed only if
    /// its [`renewal`](LeaseHolder::renewal) in the registry still equals that in `silent`. A server that has renewed its lease since then
    /// stays in the registry.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()>;

    /// Removes this server from the registry of near-cache leases, so that no sign-out waits for it. The caller must have stopped serving
    /// near-cache entries. Sends one request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn leave(&self) -> Result<()>;

    /// Waits until the connection is lost, and returns then. The listener may have missed invalidation messages for some time before that.
    async fn lost(&self);
}
