use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Inner as Store, MemoryStore};
use crate::{
    Backplane, BackplaneConnection, Error, ErrorKind, Invalidation, InvalidationId,
    InvalidationListener, InvalidationMessage, LeaseHolder, Published, RegistryId, Result,
    ServerId,
};

/// The registry of leases, and the listeners.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    id: Option<RegistryId>,
    counter: u64,
    holders: HashMap<ServerId, u64>,
    listening: HashMap<ServerId, Listening>,
}

#[derive(Debug, Clone)]
struct Listening {
    listener: Arc<dyn InvalidationListener>,
    /// Notifies the connection that another one has replaced it.
    lost: Arc<Notify>,
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(
        &self,
        origin: Option<ServerId>,
        what: Invalidation,
    ) -> Result<Published> {
        let id = InvalidationId::mint()?;
        let message = InvalidationMessage { id, origin, what };
        let (published, listening) = {
            let mut state = self.state();
            let published = Published {
                id,
                registry: Some(state.id()?),
                holders: state.lease_holders(),
            };
            (published, state.listening.clone())
        };
        let hears = origin.and_then(|origin| listening.get(&origin));
        for each in listening.values() {
            let acknowledged = each.listener.published(&message);
            if let (Some(acknowledgement), Some(origin)) = (acknowledged, hears) {
                origin.listener.acknowledged(&acknowledgement);
            }
        }
        Ok(published)
    }
}

impl State {
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
    /// Drops the store's list of near-cache leases alone; sessions and entries stay. The store then creates a new list, with another
    /// [`RegistryId`] and without leases. A test calls it to see that a sign-out then waits for leases that the list lacks.
    pub fn lose_registry(&self) {
        let mut state = self.0.registry.state();
        state.id = None;
        state.holders.clear();
    }
}

#[async_trait]
impl Backplane for MemoryStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let lost = Arc::new(Notify::new());
        let listening = Listening {
            listener,
            lost: Arc::clone(&lost),
        };
        let before = self.0.registry.state().listening.insert(server, listening);
        if let Some(before) = before {
            before.lost.notify_one();
        }
        Ok(Arc::new(Connection {
            store: Arc::clone(&self.0),
            server,
            lost,
        }))
    }

    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published> {
        self.0.registry.publish(origin, what)
    }
}

/// A server's connection. Dropping it removes the listener.
struct Connection {
    store: Arc<Store>,
    server: ServerId,
    lost: Arc<Notify>,
}

impl Connection {
    /// Returns the registry, if this is still the server's connection.
    fn state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.store.registry.state();
        match state.listening.get(&self.server) {
            Some(listening) if Arc::ptr_eq(&listening.lost, &self.lost) => Ok(state),
            _ => Err(Error::new(ErrorKind::Unavailable, "use the backplane")
                .store("memory")
                .message("another connection of this server has replaced this one; open a new connection")),
        }
    }
}

#[async_trait]
impl BackplaneConnection for Connection {
    async fn renew(&self) -> Result<RegistryId> {
        let mut state = self.state()?;
        state.counter += 1;
        let renewal = state.counter;
        state.holders.insert(self.server, renewal);
        state.id()
    }

    async fn registry(&self) -> Result<RegistryId> {
        self.state()?.id()
    }

    async fn reap(&self, silent: &[LeaseHolder]) -> Result<()> {
        let mut state = self.state()?;
        for LeaseHolder { server, renewal } in silent {
            if state.holders.get(server) == Some(renewal) {
                state.holders.remove(server);
            }
        }
        Ok(())
    }

    async fn leave(&self) -> Result<()> {
        self.state()?.holders.remove(&self.server);
        Ok(())
    }

    async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Another connection of the server may have replaced this one.
        if let Ok(mut state) = self.state() {
            state.listening.remove(&self.server);
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
