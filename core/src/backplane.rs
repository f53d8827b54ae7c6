use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{AccountKey, Result, entropy, hash_name::hash_name};

/// The id of a server in the fleet: random, and new with each start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId([u8; 16]);

impl ServerId {
    /// Returns a new random id.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// Returns the id with these bytes.
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
    /// The id of a registry of leases. A registry that was lost and created again has a new id.
    RegistryId
}

hash_name! {
    /// The id of one attempt to send an invalidation message. A repeated message has a new id, so that an acknowledgement names the
    /// attempt.
    InvalidationId
}

impl RegistryId {
    /// Returns an id for a new registry.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

impl InvalidationId {
    /// Returns an id for a new invalidation message.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// The near-cache entries that servers must drop.
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

/// A message to every listening server: which near-cache entries to drop, and which server waits for acknowledgements.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct InvalidationMessage {
    /// The id of this message.
    pub id: InvalidationId,
    /// The server that receives the acknowledgements. `None` if no server waits for them.
    pub origin: Option<ServerId>,
    /// The near-cache entries to drop.
    pub what: Invalidation,
}

/// A server's confirmation that it has dropped the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct Acknowledgement {
    /// The invalidation message that it acknowledges.
    pub message: InvalidationId,
    /// The server that has dropped its entries.
    pub server: ServerId,
    /// The registry that this server has known, on its present connection, for longer than any lease. It contains every lease that runs.
    pub knows: Option<RegistryId>,
}

/// A server in the registry of leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of the registry")]
pub struct LeaseHolder {
    /// The server.
    pub server: ServerId,
    /// The number of its last renewal. No other renewal ever has it, even after the registry was lost, or after a failover to a replica
    /// that lacked the last renewals. A silent server is removed by this number.
    pub renewal: u64,
}

/// The result of publishing an invalidation message: the servers that held a lease at that time, read in the same step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an answer of the protocol")]
pub struct Published {
    /// The id of this message.
    pub id: InvalidationId,
    /// The registry. `None` if the store cannot tell that it is the registry of this server's backplane connection.
    pub registry: Option<RegistryId>,
    /// The servers that held a lease.
    pub holders: Vec<LeaseHolder>,
}

/// The listener of a server's backplane connection. Calls come in the order in which the store took the messages. They must not block.
pub trait InvalidationListener: fmt::Debug + Send + Sync + 'static {
    /// Drops the near-cache entries that the message names. They are gone when it returns. The result is sent to the origin.
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement>;

    /// Receives an acknowledgement of this server's own invalidation message.
    fn acknowledged(&self, acknowledgement: &Acknowledgement);
}

/// An optional part of a store: it notifies servers with near caches of sign-outs. Without it, near-cache entries expire by age, and a
/// sign-out waits for the maximum age.
///
/// [`TokenStore::evict`](crate::TokenStore::evict) publishes an invalidation message if
/// [`EvictOptions::publish`](crate::EvictOptions::publish) is set, after the eviction or in the same step.
#[async_trait]
pub trait Backplane: Send + Sync {
    /// Opens a backplane connection of this server. From when it returns, the listener receives every invalidation message that the store
    /// takes, until the connection is [lost](BackplaneConnection::lost).
    ///
    /// # Errors
    /// The store's own failures.
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>>;

    /// Publishes an invalidation of what ended outside of [`TokenStore::evict`](crate::TokenStore::evict), for example many accounts at
    /// once. Sends one request. Acknowledgements go to `origin`. Without an origin, no server acknowledges.
    ///
    /// # Errors
    /// The store's own failures. The message may have been published.
    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published>;
}

/// An open connection of a backplane.
#[async_trait]
pub trait BackplaneConnection: fmt::Debug + Send + Sync + 'static {
    /// Enters this server in the registry, or renews its entry there, and returns the registry's id.
    ///
    /// Sends one request, which is a write: a demoted primary refuses it. When it returns, the listener has received every invalidation
    /// message that the store took before the renewal.
    ///
    /// # Errors
    /// The store's own failures. The connection cannot be used any more.
    async fn renew(&self) -> Result<RegistryId>;

    /// Returns the registry's id. Creates the registry if it does not exist. Sends one request, which is a write.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn registry(&self) -> Result<RegistryId>;

    /// Removes servers from the registry, unless they have renewed since they were read there. Sends one request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()>;

    /// Removes this server from the registry. The caller must have stopped serving near-cache entries. Sends one request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn leave(&self) -> Result<()>;

    /// Waits until the connection is lost. The listener may have missed invalidation messages for some time before this returns.
    async fn lost(&self);
}
