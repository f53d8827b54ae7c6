use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use redis::{RedisError, RedisResult};
use token_cache_core::backend::backoff;
use tokio::sync::watch;

use super::{connection::Connection, dial::Dialer};

/// One shared connection that comes back by itself.
///
/// Who asks while it is lost waits for the attempt under way, and gets the outcome of the last one otherwise: callers neither
/// hang nor dial.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    dialer: Dialer,
    state: watch::Sender<State>,
}

enum State {
    Up {
        connection: Connection,
        generation: u64,
    },
    Down {
        last: u64,
        /// How the last attempt failed; none while the first is under way.
        failed: Option<RedisError>,
    },
}

impl Shared {
    /// Opens the connection; a failure is the caller's to see.
    pub(crate) async fn open(dialer: Dialer) -> RedisResult<Self> {
        let connection = dialer.dial().await?;
        let (state, _) = watch::channel(State::Up {
            connection,
            generation: 0,
        });
        Ok(Self(Arc::new(Inner { dialer, state })))
    }

    /// Opens the connection in the background; whoever asks for it waits for the first attempt.
    #[cfg(feature = "cluster")]
    pub(crate) fn opening(dialer: Dialer) -> Self {
        let (state, _) = watch::channel(State::Down {
            last: 0,
            failed: None,
        });
        let shared = Self(Arc::new(Inner { dialer, state }));
        tokio::spawn(reconnect(Arc::downgrade(&shared.0)));
        shared
    }

    /// The connection, as [`connection`](Self::connection) gives it, where nobody has to wait for it.
    pub(crate) fn now(&self) -> Option<RedisResult<(Connection, u64)>> {
        self.0.state.borrow().outcome()
    }

    /// The connection, and its generation, for [`lose`](Self::lose).
    pub(crate) async fn connection(&self) -> RedisResult<(Connection, u64)> {
        let mut states = self.0.state.subscribe();
        match states.wait_for(|state| state.outcome().is_some()).await {
            Ok(state) => state.outcome().unwrap_or_else(|| Err(gone())),
            Err(_) => Err(gone()),
        }
    }

    /// Says that a generation is of no more use. The first who says so starts the search for another.
    pub(crate) fn lose(&self, lost: u64) {
        let first = self.0.state.send_if_modified(|state| match state {
            State::Up { generation, .. } if *generation == lost => {
                *state = State::Down {
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

    /// Opens another connection in place of the one that is open.
    #[cfg(feature = "sentinel")]
    pub(crate) fn replace(&self) {
        let generation = match &*self.0.state.borrow() {
            State::Up { generation, .. } => *generation,
            State::Down { .. } => return,
        };
        self.lose(generation);
    }
}

impl State {
    fn outcome(&self) -> Option<RedisResult<(Connection, u64)>> {
        match self {
            Self::Up {
                connection,
                generation,
            } => Some(Ok((connection.clone(), *generation))),
            Self::Down { failed, .. } => failed.clone().map(Err),
        }
    }

    fn last(&self) -> u64 {
        match self {
            Self::Up { generation, .. } => *generation,
            Self::Down { last, .. } => *last,
        }
    }
}

/// Dials until it succeeds, or nobody has it any more.
async fn reconnect(shared: Weak<Inner>) {
    for attempt in 0_u32.. {
        let Some(inner) = shared.upgrade() else {
            return;
        };
        let last = inner.state.borrow().last();
        match inner.dialer.dial().await {
            Ok(connection) => {
                let generation = last + 1;
                inner.state.send_replace(State::Up {
                    connection,
                    generation,
                });
                return;
            }
            Err(error) => {
                let failed = Some(error);
                inner.state.send_replace(State::Down { last, failed });
            }
        }
        drop(inner);
        tokio::time::sleep(backoff(Duration::from_millis(20), attempt)).await;
    }
}

fn gone() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::NotConnected).into()
}
