use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use deadpool::managed::{self, Metrics, Object, RecycleResult};
use redis::{ErrorKind, RedisError, RedisResult};

use super::{
    connection::{Connection, LoadedScripts},
    connector::Connector,
};

/// How many connections may block or flood at a time.
const MAX_CONNECTIONS: usize = 16;

/// Connections of their own for what would hold up everybody's requests on the shared one: waiting for replicas, scans, mass
/// sign-outs.
#[derive(Clone)]
pub(crate) struct Pool(managed::Pool<ConnectionOpener>);

/// A connection that nothing else uses meanwhile.
///
/// It is closed when it is dropped: a request on it may have been given up unanswered. [`return_to_pool`](Self::return_to_pool) keeps it.
pub(crate) struct PooledConnection {
    /// `None` once it was given back.
    object: Option<Object<ConnectionOpener>>,
}

/// A connection, and what is known of its server.
pub(crate) struct DedicatedConnection {
    pub(crate) connection: Connection,
    /// The name of the server's process, once it was asked.
    pub(crate) server: Option<String>,
    pub(super) loaded: LoadedScripts,
    /// How often the pool had been cleared when it was opened.
    generation: u64,
}

impl DedicatedConnection {
    fn new(connection: Connection) -> Self {
        Self {
            generation: 0,
            connection,
            server: None,
            loaded: LoadedScripts::default(),
        }
    }
}

/// Opens the connections of a pool.
struct ConnectionOpener {
    connector: Connector,
    /// How often the pool was cleared.
    generation: AtomicU64,
}

impl managed::Manager for ConnectionOpener {
    type Type = DedicatedConnection;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<DedicatedConnection> {
        let generation = self.generation.load(Ordering::Acquire);
        let mut connection = self
            .connector
            .connect()
            .await
            .map(DedicatedConnection::new)?;
        connection.generation = generation;
        Ok(connection)
    }

    /// Asks the server nothing: a connection that failed was not given back. One that was in use while the pool was cleared is closed.
    async fn recycle(
        &self,
        connection: &mut DedicatedConnection,
        _: &Metrics,
    ) -> RecycleResult<RedisError> {
        if connection.generation == self.generation.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(managed::RecycleError::message("the pool was cleared"))
        }
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector, wait: Duration) -> RedisResult<Self> {
        let opener = ConnectionOpener {
            connector,
            generation: AtomicU64::new(0),
        };
        managed::Pool::builder(opener)
            .max_size(MAX_CONNECTIONS)
            .wait_timeout(Some(wait))
            .runtime(managed::reexports::Runtime::Tokio1)
            .build()
            .map(Self)
            .map_err(|_| (ErrorKind::InvalidClientConfig, "the pool can't be built").into())
    }

    /// Closes the connections that are idle, and those in use once they are given back: the server that they lead to is gone, or no
    /// primary any more.
    pub(crate) fn clear(&self) {
        self.0.manager().generation.fetch_add(1, Ordering::AcqRel);
        self.0.retain(|_, _| false);
    }

    pub(crate) async fn get(&self) -> RedisResult<PooledConnection> {
        let object = self.0.get().await.map_err(from_pool)?;
        Ok(PooledConnection {
            object: Some(object),
        })
    }
}

impl PooledConnection {
    /// Returns the connection; `None` once it was given back.
    pub(crate) fn connection(&mut self) -> Option<&mut DedicatedConnection> {
        self.object.as_deref_mut()
    }

    /// Keeps the connection for the next request.
    pub(crate) fn return_to_pool(mut self) {
        drop(self.object.take());
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

fn from_pool(error: managed::PoolError<RedisError>) -> RedisError {
    match error {
        managed::PoolError::Backend(error) => error,
        managed::PoolError::Timeout(_) => std::io::Error::from(std::io::ErrorKind::TimedOut).into(),
        managed::PoolError::Closed
        | managed::PoolError::NoRuntimeSpecified
        | managed::PoolError::PostCreateHook(_) => {
            std::io::Error::from(std::io::ErrorKind::NotConnected).into()
        }
    }
}
