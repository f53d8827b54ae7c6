use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{AccountKey, Result, ServerId, types::entropy, util::hash_name::hash_name};

hash_name! {
    /// The id of a registry of near-cache leases: the list, in a store, of the app servers that hold a lease. Each server in it is a
    /// [`LeaseHolder`].
    ///
    /// If the registry is lost, for example because the store was emptied, the store creates a new one with a new id. A new registry may
    /// lack leases that have not expired yet. By the id, a sign-out notices a new registry, and waits for the longest lease
    /// (`AckWait` of the crate `token-cache-near-cache`).
    RegistryId
}

hash_name! {
    /// The id of one attempt to send an [`InvalidationMessage`]. The store creates it when it publishes the message.
    ///
    /// A message that is published again has a new id. By the id, an [`Acknowledgement`] names the attempt that it answers.
    InvalidationId
}

impl RegistryId {
    /// Creates a random id for a registry of near-cache leases. A store calls it when it may have to create the registry, and drops the id
    /// if the registry exists already.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

impl InvalidationId {
    /// Creates a random id for an invalidation message. A store calls it each time that it publishes such a message.
    ///
    /// # Errors
    /// [`Unexpected`](crate::ErrorKind::Unexpected) if the operating system provides no random bytes.
    pub fn mint() -> Result<Self> {
        entropy::random().map(Self::from_bytes)
    }
}

/// The near-cache entries that app servers must drop, in an [`InvalidationMessage`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a listener that does not handle every variant breaks G1"
)]
pub enum Invalidation {
    /// The near-cache entries of these accounts. The near-cache entries of other accounts stay.
    Accounts(Vec<AccountKey>),
    /// The near-cache entries of all accounts. It is for a sign-out of more than 100 accounts, or of accounts that cannot be listed.
    Everything,
}

/// The most accounts in one invalidation message. For more accounts, the message invalidates everything.
const MOST_NAMED: usize = 100;

impl Invalidation {
    /// Returns the invalidation of these accounts, or of everything if there are more than 100.
    pub fn of(accounts: impl ExactSizeIterator<Item = AccountKey>) -> Self {
        if accounts.len() > MOST_NAMED {
            Self::Everything
        } else {
            Self::Accounts(accounts.collect())
        }
    }
}

/// A message that tells app servers which near-cache entries to drop, and to which app server they send their acknowledgements.
///
/// The store delivers it to the [`InvalidationListener`] of each app server with an open backplane connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct InvalidationMessage {
    /// The id of this message, which an [`Acknowledgement`] repeats.
    pub id: InvalidationId,
    /// The app server that signs out, and that receives the acknowledgements of this message. `None` if the message needs no
    /// acknowledgement. The app servers then send none.
    pub origin: Option<ServerId>,
    /// The near-cache entries that the app servers must drop.
    pub what: Invalidation,
}

/// An app server's confirmation that it has dropped the near-cache entries of an invalidation message.
///
/// [`InvalidationListener::published`] returns it. The store delivers it to the message's [`origin`](InvalidationMessage::origin).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a message of the protocol")]
pub struct Acknowledgement {
    /// The id of the invalidation message that `server` acknowledges.
    pub message: InvalidationId,
    /// The app server that has dropped the near-cache entries that the message names.
    pub server: ServerId,
    /// The registry of near-cache leases that `server` has known for longer than any lease lasts, on its present backplane connection. Such
    /// a registry contains every lease that has not expired.
    ///
    /// `None` if `server` has not known its registry for that long, or has not recently read how long the longest lease is. A sign-out
    /// waits for the longest lease unless a `knows` of some app server equals [`Published::registry`]
    /// (`AckWait` of the crate `token-cache-near-cache`).
    pub knows: Option<RegistryId>,
}

/// An app server that holds a near-cache lease: an item of the store's registry of near-cache leases. With the lease, the app server may
/// serve entries from its near cache.
///
/// [`Published::holders`] has the servers that a sign-out waits for. If some of them did not acknowledge the invalidation message,
/// [`BackplaneConnection::reap`] removes them from the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of the registry")]
pub struct LeaseHolder {
    /// The app server that holds the lease.
    pub server: ServerId,
    /// The number of the server's last renewal of its lease, which the store assigned.
    ///
    /// No other renewal ever has the same number, even after the registry was lost, or after a failover to a replica that lacked the last
    /// renewals. By the number, [`BackplaneConnection::reap`] notices that the server has renewed its lease after the store returned this
    /// item.
    pub renewal: u64,
}

/// The result of publishing an invalidation message: its id, and the app servers that must acknowledge it. A store creates it.
///
/// The store reads the registry of near-cache leases in the same step in which it publishes the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an answer of the protocol")]
pub struct Published {
    /// The id of the invalidation message that was published. Each [`Acknowledgement`] of the message repeats it.
    pub id: InvalidationId,
    /// The id of the list of near-cache leases from which the store read `holders`. The cache compares it with the id that its own
    /// backplane connection reads: if the two differ, a lease may be missing, and a sign-out waits for the longest lease.
    ///
    /// `None` if the store has no such id, or cannot tell whether the connection uses the same list. A sign-out then also waits for the
    /// longest lease.
    pub registry: Option<RegistryId>,
    /// The app servers that held a near-cache lease when the store published the message. The origin of the message is one of them if it
    /// holds a lease.
    pub holders: Vec<LeaseHolder>,
}

/// The receiver of an app server's messages from the backplane: invalidation messages, and the acknowledgements of the messages that this
/// app server has published.
///
/// A [`TokenCache`](crate::TokenCache) passes its listener to [`Backplane::connect`]. The backplane calls it once for each message, in the
/// order in which the store took the messages.
///
/// Its methods must not block. A method that blocks delays the later messages, and the sign-outs that wait for their acknowledgements.
pub trait InvalidationListener: fmt::Debug + Send + Sync + 'static {
    /// Receives an invalidation message. The backplane calls it. Drops the near-cache entries that it names, and then returns the
    /// acknowledgement, which the store delivers to the message's origin.
    ///
    /// Returns `None` if there is nothing to acknowledge: the message has no origin, or this server is the origin or has no near cache.
    fn published(&self, message: &InvalidationMessage) -> Option<Acknowledgement>;

    /// Receives an acknowledgement from another app server. That server has dropped the near-cache entries of an invalidation message whose
    /// origin is this server. The backplane calls it.
    fn acknowledged(&self, acknowledgement: &Acknowledgement);
}

/// The part of a store that carries invalidation messages between app servers, so that near caches drop the entries of ended sessions. It
/// is optional.
///
/// Without it, near-cache entries expire only by age, and each sign-out waits for their maximum age.
///
/// A sign-out publishes its invalidation message in [`TokenStore::evict`](crate::TokenStore::evict), if
/// [`EvictOptions::publish`](crate::EvictOptions::publish) is set.
#[async_trait]
pub trait Backplane: Send + Sync {
    /// Opens the backplane connection of the app server `server`, and returns it. A [`TokenCache`](crate::TokenCache) calls it, and calls
    /// it again after the connection is lost. From then on, `listener` receives every invalidation message that the store takes, until the
    /// connection is [lost](BackplaneConnection::lost).
    ///
    /// # Errors
    /// The store's own failures.
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>>;

    /// Publishes an invalidation message for a change that no [`TokenStore::evict`](crate::TokenStore::evict) has published. Examples are a
    /// bulk sign-out, and a write that replaces an entry. `what` names the near-cache entries to drop. Sends one request.
    ///
    /// The app servers with near caches send their acknowledgements to `origin`. If `origin` is `None`, they send none. The result has the
    /// id of the message, and the app servers that hold a near-cache lease.
    ///
    /// # Errors
    /// The store's own failures. The store may have published the message nevertheless.
    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published>;
}

/// An app server's open connection to the backplane, which [`Backplane::connect`] returns.
///
/// The server renews its near-cache lease over this connection, and its listener receives the invalidation messages. Dropping the
/// connection closes it.
#[async_trait]
pub trait BackplaneConnection: fmt::Debug + Send + Sync + 'static {
    /// Enters this app server in the registry of near-cache leases, or renews its lease there. Returns the registry's id.
    ///
    /// Sends one request, which is a write: a demoted primary of the store refuses it. When the method returns, the listener has received
    /// every invalidation message that the store took before the renewal.
    ///
    /// If the id differs from that of the last call of this app server, the registry was lost, and perhaps all data of the store with it. A
    /// [`TokenCache`](crate::TokenCache) then drops all near-cache entries of this server and gives up the lease. It reads the namespace's
    /// record, and serves near-cache entries again about three seconds later.
    ///
    /// # Errors
    /// The store's own failures. After an error, the connection cannot be used any more, and the app server opens a new one with
    /// [`Backplane::connect`].
    async fn renew(&self) -> Result<RegistryId>;

    /// Returns the id of the registry of near-cache leases, without entering this app server in it. The app server calls it when it opens a
    /// connection and after each [`reap`](Self::reap), to notice that the registry was lost. Creates the registry if it does not exist.
    /// Sends one request, which is a write.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn registry(&self) -> Result<RegistryId>;

    /// Removes the app servers in `silent` from the registry of near-cache leases, so that later sign-outs do not wait for them. Sends one
    /// request.
    ///
    /// The caller passes servers that did not acknowledge an invalidation message before their lease expired. The store removes a server
    /// only if its [`renewal`](LeaseHolder::renewal) in the registry still equals the one in `silent`. A server that has renewed its lease
    /// in the meantime stays in the registry.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()>;

    /// Removes this app server from the registry of near-cache leases, so that no sign-out waits for it. The app server calls it when it
    /// stops to use its near cache, for example because its [`TokenCache`](crate::TokenCache) is dropped. Sends one request.
    ///
    /// The caller must have stopped serving near-cache entries. Otherwise it could serve an entry of a session after the session's sign-out
    /// has returned.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    async fn leave(&self) -> Result<()>;

    /// Waits until this backplane connection is lost, and then returns. It does not return while the connection works. The connection's
    /// listener may have missed invalidation messages since some time before that.
    async fn lost(&self);
}
