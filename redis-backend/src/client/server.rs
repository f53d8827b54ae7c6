use std::time::Duration;

use redis::RedisResult;

use super::{
    connection::Connection,
    connector::Connector,
    pool::{Pool, PooledConnection},
    shared_connection::SharedConnection,
};

/// The connections to one server. Clones share them.
#[derive(Clone)]
pub(super) struct Server {
    /// For everyday requests.
    shared: SharedConnection,
    /// For requests that block or flood.
    dedicated: Pool,
}

impl Server {
    /// Opens the shared connection.
    pub(super) async fn open(connector: Connector, wait: Duration) -> RedisResult<Self> {
        Ok(Self {
            dedicated: Pool::new(connector.clone(), wait)?,
            shared: SharedConnection::open(connector).await?,
        })
    }

    /// Opens the shared connection in the background.
    #[cfg(feature = "cluster")]
    pub(super) fn opening(connector: Connector, wait: Duration) -> RedisResult<Self> {
        Ok(Self {
            dedicated: Pool::new(connector.clone(), wait)?,
            shared: SharedConnection::opening(connector),
        })
    }

    /// Returns the shared connection and its generation, without a wait if it is open.
    pub(super) async fn connection(&self) -> RedisResult<(Connection, u64)> {
        match self.shared.now() {
            Some(now) => now,
            None => Box::pin(self.shared.connection()).await,
        }
    }

    /// Takes a connection that nothing else uses meanwhile.
    pub(super) async fn dedicated(&self) -> RedisResult<PooledConnection> {
        self.dedicated.get().await
    }

    /// Replaces the shared connection of a generation, and those that are idle: they led to the same server.
    pub(super) fn mark_broken(&self, generation: u64) {
        self.shared.mark_broken(generation);
        self.close_idle();
    }

    /// Replaces the shared connection, and those that are idle, whatever their state is.
    #[cfg(feature = "sentinel")]
    pub(super) fn replace(&self) {
        self.shared.replace();
        self.close_idle();
    }

    /// Closes the dedicated connections that are idle.
    pub(super) fn close_idle(&self) {
        self.dedicated.clear();
    }
}
