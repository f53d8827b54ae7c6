use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use redis::{RedisError, RedisResult};
use token_cache_core::backend::backoff;
use tokio::sync::watch;

use super::{connection::Connection, connector::Connector};

/// A shared connection that reconnects in the background.
///
/// While it is lost, callers wait for the current attempt, or get the error of the last one. They neither hang nor connect themselves.
#[derive(Clone)]
pub(crate) struct SharedConnection(Arc<Inner>);

struct Inner {
    connector: Connector,
    state: watch::Sender<State>,
}

enum State {
    Connected {
        connection: Connection,
        generation: u64,
    },
    Disconnected {
        last: u64,
        /// The error of the last attempt, or `None` during the first.
        failed: Option<RedisError>,
    },
}

impl SharedConnection {
    /// Opens the connection, or returns the error.
    pub(crate) async fn open(connector: Connector) -> RedisResult<Self> {
        let connection = connector.connect().await?;
        let (state, _) = watch::channel(State::Connected {
            connection,
            generation: 0,
        });
        Ok(Self(Arc::new(Inner { connector, state })))
    }

    /// Opens the connection in the background. Callers wait for the first attempt.
    #[cfg(feature = "cluster")]
    pub(crate) fn opening(connector: Connector) -> Self {
        let (state, _) = watch::channel(State::Disconnected {
            last: 0,
            failed: None,
        });
        let shared = Self(Arc::new(Inner { connector, state }));
        tokio::spawn(reconnect(Arc::downgrade(&shared.0)));
        shared
    }

    /// Returns the result of [`connection`](Self::connection) if it is available without a wait.
    pub(crate) fn now(&self) -> Option<RedisResult<(Connection, u64)>> {
        self.0.state.borrow().outcome()
    }

    /// Returns the connection and its generation, for [`mark_broken`](Self::mark_broken).
    pub(crate) async fn connection(&self) -> RedisResult<(Connection, u64)> {
        let mut states = self.0.state.subscribe();
        match states.wait_for(|state| state.outcome().is_some()).await {
            Ok(state) => state
                .outcome()
                .unwrap_or_else(|| Err(super::not_connected())),
            Err(_) => Err(super::not_connected()),
        }
    }

    /// Marks the connection of a generation as broken. The first call starts to reconnect.
    pub(crate) fn mark_broken(&self, lost: u64) {
        let first = self.0.state.send_if_modified(|state| match state {
            State::Connected { generation, .. } if *generation == lost => {
                *state = State::Disconnected {
                    last: lost,
                    failed: None,
                };
                true
            }
            _ => false,
        });
        if first {
            tokio::spawn(reconnect(Arc::downgrade(&self.0)));
        }
    }

    /// Replaces the open connection.
    #[cfg(feature = "sentinel")]
    pub(crate) fn replace(&self) {
        let generation = match &*self.0.state.borrow() {
            State::Connected { generation, .. } => *generation,
            State::Disconnected { .. } => return,
        };
        self.mark_broken(generation);
    }
}

impl State {
    fn outcome(&self) -> Option<RedisResult<(Connection, u64)>> {
        match self {
            Self::Connected {
                connection,
                generation,
            } => Some(Ok((connection.clone(), *generation))),
            Self::Disconnected { failed, .. } => failed.clone().map(Err),
        }
    }

    fn last(&self) -> u64 {
        match self {
            Self::Connected { generation, .. } => *generation,
            Self::Disconnected { last, .. } => *last,
        }
    }
}

/// Reconnects until it succeeds or the connection is dropped.
async fn reconnect(shared: Weak<Inner>) {
    for attempt in 0_u32.. {
        let Some(inner) = shared.upgrade() else {
            return;
        };
        let last = inner.state.borrow().last();
        match inner.connector.connect().await {
            Ok(connection) => {
                let generation = last + 1;
                inner.state.send_replace(State::Connected {
                    connection,
                    generation,
                });
                return;
            }
            Err(error) => {
                let failed = Some(error);
                inner
                    .state
                    .send_replace(State::Disconnected { last, failed });
            }
        }
        drop(inner);
        tokio::time::sleep(backoff(Duration::from_millis(20), attempt)).await;
    }
}
