use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{AccountKey, Result, entropy, hash_name::hash_name};

/// A server of the fleet as the others know it: random, new with every start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId([u8; 16]);

impl ServerId {
    /// A name that no other server has.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self)
    }

    /// The name with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes that a store keeps.
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
    /// One life of the registry of lease holders: a registry that was lost and made anew has another.
    RegistryId
}

hash_name! {
    /// One sending of an invalidation message: one that is sent again has another, so that an acknowledgement says which it answers.
    InvalidationId
}

impl RegistryId {
    /// The id of a registry that is made now.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

impl InvalidationId {
    /// The id of an invalidation message that is sent now.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) where the operating system gives no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// Whose copies are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a listener that knows not all of them can't keep G1"
)]
pub enum Invalidation {
    /// Those of these accounts.
    Accounts(Vec<AccountKey>),
    /// All of them: a sign-out of more accounts than are worth naming.
    Everything,
}

/// What is told to every server that listens: whose copies are to go, and who wants to hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct InvalidationMessage {
    /// This sending of it.
    pub id: InvalidationId,
    /// Who hears the acknowledgements; none where nobody waits for them.
    pub origin: Option<ServerId>,
    /// Whose copies are to go.
    pub what: Invalidation,
}

/// A server's word that the copies are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct Acknowledgement {
    /// What it answers.
    pub message: InvalidationId,
    /// Who has dropped its copies.
    pub server: ServerId,
    /// The registry that this server has known, on the connection that it has, for longer than any lease: every lease that runs is
    /// in it.
    pub knows: Option<RegistryId>,
}

/// A server in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of the registry")]
pub struct LeaseHolder {
    /// Who.
    pub server: ServerId,
    /// Its last renewal: a number that no other renewal ever has, also not after the registry was lost, or a replica took over that
    /// lacked the last ones. Who is removed for being silent is removed by it.
    pub renewal: u64,
}

/// What became of an invalidation message: who held a lease when it was made, read in the same step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an answer of the protocol")]
pub struct Published {
    /// This sending of it.
    pub id: InvalidationId,
    /// The registry; none where it can't be told that it is the one which this server's backplane connection leads to.
    pub registry: Option<RegistryId>,
    /// Who held a lease.
    pub holders: Vec<LeaseHolder>,
}

/// What hears a server's link. Calls come in the order in which the store took the messages, and none of them blocks.
pub trait InvalidationListener: fmt::Debug + Send + Sync + 'static {
    /// Drops the copies; when it returns they are gone, and the answer is sent to the origin.
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement>;

    /// Hears an answer to an invalidation message of this server's own.
    fn acknowledged(&self, acknowledgement: &Acknowledgement);
}

/// How servers that keep near caches hear of sign-outs: an optional part of a store. Without it, copies live for an age, and a
/// sign-out waits that age out.
///
/// An invalidation message is part of [`TokenStore::evict`](crate::TokenStore::evict), where
/// [`EvictOptions::publish`](crate::EvictOptions::publish) asks for it, and comes after the eviction or in the same step.
#[async_trait]
pub trait Backplane: Send + Sync {
    /// Opens this server's backplane connection. When it returns, the listener hears every invalidation message that the store takes from now on, until the
    /// connection is [lost](LinkConnection::lost).
    ///
    /// # Errors
    /// The store's own failures.
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>>;

    /// Announces what ended outside of [`TokenStore::evict`](crate::TokenStore::evict): many accounts at once, say. One request.
    /// Answers go to `origin`; without one there are none.
    ///
    /// # Errors
    /// The store's own failures; the invalidation message may have been made.
    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published>;
}

/// One open connection of a backplane.
#[async_trait]
pub trait BackplaneConnection: fmt::Debug + Send + Sync + 'static {
    /// Enters this server in the registry, or renews its entry there, and answers with the registry's id. One request, a write: a
    /// server that is no primary any more refuses it. When it returns, the listener has heard every invalidation message that the
    /// store took before it.
    ///
    /// # Errors
    /// The store's own failures: the connection is of no more use.
    async fn renew(&self) -> Result<RegistryId>;

    /// The registry's id; where there is no registry it is made. One request, a write.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn registry(&self) -> Result<RegistryId>;

    /// Removes servers from the registry that have not renewed since they were read there. One request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()>;

    /// Removes this server from the registry: it serves no copies any more. One request.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn leave(&self) -> Result<()>;

    /// Waits until the connection is lost: from some moment before it returns, the listener may have missed invalidation messages.
    async fn lost(&self);
}
