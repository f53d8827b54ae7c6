use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use deadpool::managed::{self, Metrics, Object, RecycleResult};
use redis::{ErrorKind, RedisError, RedisResult};

use super::{
    connection::{Connection, Loaded},
    dial::Dialer,
};

/// How many connections may block or flood at a time.
const SIZE: usize = 16;

/// Connections of their own for what would hold up everybody's requests on the shared one: waiting for replicas, scans, mass
/// sign-outs.
#[derive(Clone)]
pub(crate) struct Pool(managed::Pool<Opener>);

/// A connection that nothing else uses meanwhile.
///
/// It is closed when it is dropped: a request on it may have been given up unanswered. [`give_back`](Self::give_back) keeps it.
pub(crate) struct Dedicated {
    /// `None` once it was given back.
    held: Option<Object<Opener>>,
}

/// A connection, and what is known of its server.
pub(crate) struct Line {
    pub(crate) connection: Connection,
    /// The name of the server's process, once it was asked.
    pub(crate) server: Option<String>,
    pub(super) loaded: Loaded,
    /// How often the pool had been cleared when it was opened.
    opened_after: u64,
}

impl Line {
    fn new(connection: Connection) -> Self {
        Self {
            opened_after: 0,
            connection,
            server: None,
            loaded: Loaded::default(),
        }
    }
}

/// Opens the connections of a pool.
struct Opener {
    dialer: Dialer,
    /// How often the pool was cleared.
    cleared: AtomicU64,
}

impl managed::Manager for Opener {
    type Type = Line;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<Line> {
        let opened_after = self.cleared.load(Ordering::Acquire);
        let mut line = self.dialer.dial().await.map(Line::new)?;
        line.opened_after = opened_after;
        Ok(line)
    }

    /// Asks the server nothing: a connection that failed was not given back. One that was in use while the pool was cleared is closed.
    async fn recycle(&self, line: &mut Line, _: &Metrics) -> RecycleResult<RedisError> {
        if line.opened_after == self.cleared.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(managed::RecycleError::message("the pool was cleared"))
        }
    }
}

impl Pool {
    pub(crate) fn new(dialer: Dialer, wait: Duration) -> RedisResult<Self> {
        let opener = Opener {
            dialer,
            cleared: AtomicU64::new(0),
        };
        managed::Pool::builder(opener)
            .max_size(SIZE)
            .wait_timeout(Some(wait))
            .runtime(managed::reexports::Runtime::Tokio1)
            .build()
            .map(Self)
            .map_err(|_| (ErrorKind::InvalidClientConfig, "the pool can't be built").into())
    }

    /// Closes the connections that are idle, and those in use once they are given back: the server that they lead to is gone, or no
    /// primary any more.
    pub(crate) fn clear(&self) {
        self.0.manager().cleared.fetch_add(1, Ordering::AcqRel);
        self.0.retain(|_, _| false);
    }

    pub(crate) async fn take(&self) -> RedisResult<Dedicated> {
        let held = self.0.get().await.map_err(from_pool)?;
        Ok(Dedicated { held: Some(held) })
    }
}

impl Dedicated {
    /// Returns the connection; `None` once it was given back.
    pub(crate) fn line(&mut self) -> Option<&mut Line> {
        self.held.as_deref_mut()
    }

    /// Keeps the connection for the next request.
    pub(crate) fn give_back(mut self) {
        drop(self.held.take());
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        if let Some(object) = self.held.take() {
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
