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

/// The most dedicated connections to a server.
const MAX_CONNECTIONS: usize = 16;

/// A pool of dedicated connections, for requests that would delay others on the shared connection: waits for replicas, scans, bulk
/// sign-outs.
#[derive(Clone)]
pub(crate) struct Pool(managed::Pool<ConnectionOpener>);

/// A dedicated connection that was taken from the pool.
///
/// It is closed when it is dropped, since a cancelled request may have no reply yet. [`return_to_pool`](Self::return_to_pool) keeps it.
pub(crate) struct PooledConnection {
    /// `None` once it was returned.
    object: Option<Object<ConnectionOpener>>,
}

/// A connection that one request uses at a time.
pub(crate) struct DedicatedConnection {
    pub(crate) connection: Connection,
    /// The `run_id` of the server, once it was read.
    pub(crate) server: Option<String>,
    pub(super) loaded: LoadedScripts,
    /// The generation of the pool when the connection was opened.
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
    /// The number of times that the pool was cleared.
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

    /// Sends no request, since a failed connection was not returned. Refuses a connection that is older than the last clearing.
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
            .map_err(|_| {
                (
                    ErrorKind::InvalidClientConfig,
                    "the connection pool cannot be built",
                )
                    .into()
            })
    }

    /// Closes the idle connections, and the others when they are returned. The server is down, or no longer the primary.
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
    /// Returns the connection, or `None` once it was returned.
    pub(crate) fn connection(&mut self) -> Option<&mut DedicatedConnection> {
        self.object.as_deref_mut()
    }

    /// Returns the connection to the pool.
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
