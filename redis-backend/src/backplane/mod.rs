//! The backplane of servers with near caches: sharded pub/sub, and a registry of lease holders, in one slot.

mod acknowledgements;
mod connection;
pub(crate) mod message;
mod publish;
mod subscriber;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicU64};

use async_trait::async_trait;
use token_cache_core::{
    Backplane, BackplaneConnection, Error, ErrorKind, Invalidation, InvalidationListener,
    Published, RegistryId, Result, ServerId,
};
use tokio::sync::mpsc;

pub(crate) use self::publish::evict;
use self::{
    connection::Connection,
    subscriber::{Barriers, Subscriber},
};
use crate::{
    RedisStore,
    client::{Call, PubSubConnection},
    store::Inner,
};

const OPERATION: &str = "open the backplane";

/// The open connections to the backplane.
#[derive(Default)]
pub(crate) struct OpenConnections(Mutex<Vec<(ServerId, Weak<PubSubConnection>)>>);

impl OpenConnections {
    /// Returns the connection of a server, if it is not lost.
    fn of(&self, server: ServerId) -> Option<Arc<PubSubConnection>> {
        let open = self.open();
        let (_, pubsub) = open.iter().rev().find(|(whose, _)| *whose == server)?;
        pubsub.upgrade().filter(|pubsub| !pubsub.is_lost())
    }

    /// Returns the connection that was opened last, if it is still in use. Entries for the near cache are read over it, so that they are
    /// read
    /// and invalidated at the same server.
    pub(crate) fn last(&self) -> Option<Arc<PubSubConnection>> {
        let (_, pubsub) = self.open().last()?.clone();
        pubsub.upgrade()
    }

    fn add(&self, server: ServerId, pubsub: &Arc<PubSubConnection>) {
        let mut open = self.open();
        open.retain(|(whose, pubsub)| *whose != server && pubsub.strong_count() > 0);
        open.push((server, Arc::downgrade(pubsub)));
    }

    fn open(&self) -> MutexGuard<'_, Vec<(ServerId, Weak<PubSubConnection>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backplane for RedisStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let Inner {
            client,
            keys,
            open_connections,
            ..
        } = self.inner();
        let (pending_acks, queue) = mpsc::channel(acknowledgements::QUEUE);
        let barriers = Arc::<Barriers>::default();
        let (messages, own) = (keys.messages(), keys.own_channel(&server));
        let subscriber = Subscriber {
            messages: messages.clone(),
            listener,
            pending_acks,
            barriers: Arc::clone(&barriers),
        };
        let opening = async {
            let pubsub = client
                .open_backplane_connection(
                    OPERATION,
                    &keys.registry(),
                    [&messages, &own],
                    subscriber,
                )
                .await?;
            // Checks the permission to publish. The empty message is ignored.
            let nothing = Call::command("SPUBLISH", own.clone()).bytes(b"");
            pubsub.send(OPERATION, &nothing).await?;
            Ok(Arc::new(pubsub))
        };
        let pubsub = opening.await.map_err(with_permission_hint)?;
        let nonce = RegistryId::mint()?;
        let (nonce, first) = halves(nonce.as_bytes());
        tokio::spawn(acknowledgements::send(
            Arc::clone(&pubsub),
            keys.clone(),
            client.is_cluster(),
            queue,
        ));
        open_connections.add(server, &pubsub);
        Ok(Arc::new(Connection {
            pubsub,
            keys: keys.clone(),
            server,
            barriers,
            nonce,
            renewals: AtomicU64::new(first),
            timeout: client.operation_timeout(),
        }))
    }

    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published> {
        publish::publish(self.inner(), origin, &what).await
    }
}

/// Returns a nonce, and the first value of a counter.
fn halves(random: &[u8; 16]) -> ([u8; 8], u64) {
    let (mut nonce, mut first) = ([0; 8], [0; 8]);
    nonce.copy_from_slice(&random[..8]);
    first.copy_from_slice(&random[8..]);
    (nonce, u64::from_be_bytes(first))
}

fn with_permission_hint(error: Error) -> Error {
    if error.kind() != ErrorKind::Denied {
        return error;
    }
    Error::new(ErrorKind::Denied, OPERATION)
        .store(crate::STORE)
        .message(
            "near caches need SSUBSCRIBE and SPUBLISH on channels with this prefix; add them as in the ACL of the documentation",
        )
        .with_source(error)
}
