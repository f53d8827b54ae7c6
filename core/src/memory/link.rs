use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Held as Store, MemoryStore};
use crate::{
    Announced, Announcement, AnnouncementId, Error, ErrorKind, Invalidation, LeaseHolder, Link,
    LinkConnection, Listener, RegistryId, Result, ServerId,
};

/// The registry of lease holders, and those who listen.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    id: Option<RegistryId>,
    counter: u64,
    holders: HashMap<ServerId, u64>,
    listening: HashMap<ServerId, Listening>,
}

#[derive(Debug, Clone)]
struct Listening {
    listener: Arc<dyn Listener>,
    /// Tells its connection that another has taken its place.
    lost: Arc<Notify>,
}

impl Registry {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn announce(
        &self,
        signer: Option<ServerId>,
        what: Invalidation,
    ) -> Result<Announced> {
        let id = AnnouncementId::mint()?;
        let announcement = Announcement { id, signer, what };
        let (announced, listening) = {
            let mut held = self.held();
            let announced = Announced {
                id,
                registry: Some(held.id()?),
                holders: held.lease_holders(),
            };
            (announced, held.listening.clone())
        };
        let hears = signer.and_then(|signer| listening.get(&signer));
        for each in listening.values() {
            let acknowledged = each.listener.announced(&announcement);
            if let (Some(acknowledgement), Some(signer)) = (acknowledged, hears) {
                signer.listener.acknowledged(&acknowledgement);
            }
        }
        Ok(announced)
    }
}

impl Held {
    fn id(&mut self) -> Result<RegistryId> {
        match self.id {
            Some(id) => Ok(id),
            None => Ok(*self.id.insert(RegistryId::mint()?)),
        }
    }

    fn lease_holders(&self) -> Vec<LeaseHolder> {
        let holder = |(server, renewal): (&ServerId, &u64)| LeaseHolder {
            server: *server,
            renewal: *renewal,
        };
        self.holders.iter().map(holder).collect()
    }
}

#[cfg(feature = "test-util")]
impl MemoryStore {
    /// Forgets who holds a lease, as a store does that was emptied: the registry is a new one from then on.
    pub fn lose_registry(&self) {
        let mut held = self.0.registry.held();
        held.id = None;
        held.holders.clear();
    }
}

#[async_trait]
impl Link for MemoryStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        let lost = Arc::new(Notify::new());
        let listening = Listening {
            listener,
            lost: Arc::clone(&lost),
        };
        let before = self.0.registry.held().listening.insert(server, listening);
        if let Some(before) = before {
            before.lost.notify_one();
        }
        Ok(Arc::new(Connection {
            store: Arc::clone(&self.0),
            server,
            lost,
        }))
    }

    async fn announce(&self, signer: Option<ServerId>, what: Invalidation) -> Result<Announced> {
        self.0.registry.announce(signer, what)
    }
}

/// A listener's place; it is given up when the connection is dropped.
struct Connection {
    store: Arc<Store>,
    server: ServerId,
    lost: Arc<Notify>,
}

impl Connection {
    /// The registry, while this connection is the server's.
    fn held(&self) -> Result<MutexGuard<'_, Held>> {
        let held = self.store.registry.held();
        match held.listening.get(&self.server) {
            Some(listening) if Arc::ptr_eq(&listening.lost, &self.lost) => Ok(held),
            _ => Err(Error::new(ErrorKind::Unavailable, "use the link")
                .store("memory")
                .message("this connection was lost; open another")),
        }
    }
}

#[async_trait]
impl LinkConnection for Connection {
    async fn renew(&self) -> Result<RegistryId> {
        let mut held = self.held()?;
        held.counter += 1;
        let renewal = held.counter;
        held.holders.insert(self.server, renewal);
        held.id()
    }

    async fn registry(&self) -> Result<RegistryId> {
        self.held()?.id()
    }

    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()> {
        let mut held = self.held()?;
        for LeaseHolder { server, renewal } in silent {
            if held.holders.get(server) == Some(renewal) {
                held.holders.remove(server);
            }
        }
        Ok(())
    }

    async fn leave(&self) -> Result<()> {
        self.held()?.holders.remove(&self.server);
        Ok(())
    }

    async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Another connection of the server may have its place.
        if let Ok(mut held) = self.held() {
            held.listening.remove(&self.server);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
