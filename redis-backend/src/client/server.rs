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
    /// For short requests.
    shared: SharedConnection,
    /// For requests that block or have large replies.
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

    /// Returns the shared connection and its generation. Does not wait if the connection is open.
    pub(super) async fn connection(&self) -> RedisResult<(Connection, u64)> {
        match self.shared.now() {
            Some(now) => now,
            None => Box::pin(self.shared.connection()).await,
        }
    }

    /// Takes a dedicated connection.
    pub(super) async fn dedicated(&self) -> RedisResult<PooledConnection> {
        self.dedicated.get().await
    }

    /// Replaces the shared connection of a generation, and closes the idle dedicated ones, which led to the same server.
    pub(super) fn mark_broken(&self, generation: u64) {
        self.shared.mark_broken(generation);
        self.close_idle();
    }

    /// Replaces the shared connection and closes the idle dedicated ones, in any state.
    #[cfg(feature = "sentinel")]
    pub(super) fn replace(&self) {
        self.shared.replace();
        self.close_idle();
    }

    /// Closes the idle dedicated connections.
    pub(super) fn close_idle(&self) {
        self.dedicated.clear();
    }
}

/// Closes the idle connections of a server when it is dropped before a reply arrived.
pub(super) struct CloseIdleUnlessAnswered<'a>(Option<&'a Server>);

impl<'a> CloseIdleUnlessAnswered<'a> {
    pub(super) const fn of(server: &'a Server) -> Self {
        Self(Some(server))
    }

    pub(super) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for CloseIdleUnlessAnswered<'_> {
    fn drop(&mut self) {
        if let Some(server) = self.0 {
            server.close_idle();
        }
    }
}
