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
pub(crate) struct Pool(Kind);

#[derive(Clone)]
enum Kind {
    Ours(managed::Pool<Opener>),
    /// The application's.
    Given(deadpool_redis::Pool),
}

/// A connection that nothing else uses meanwhile.
///
/// It is closed when it is dropped: a request on it may have been given up unanswered. [`give_back`](Self::give_back) keeps it.
pub(crate) struct Dedicated {
    /// `None` once it was given back.
    held: Option<Held>,
}

enum Held {
    Ours(Object<Opener>),
    Given(deadpool_redis::Connection, Line),
    /// The shared connection, if the application gave no other.
    Shared(Line),
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
            .map(|pool| Self(Kind::Ours(pool)))
            .map_err(|_| (ErrorKind::InvalidClientConfig, "the pool can't be built").into())
    }

    pub(crate) fn given(pool: deadpool_redis::Pool) -> Self {
        Self(Kind::Given(pool))
    }

    /// Closes the connections that are idle, and those in use once they are given back: the server that they lead to is gone, or no
    /// primary any more.
    pub(crate) fn clear(&self) {
        if let Kind::Ours(pool) = &self.0 {
            pool.manager().cleared.fetch_add(1, Ordering::AcqRel);
            pool.retain(|_, _| false);
        }
    }

    pub(crate) async fn take(&self) -> RedisResult<Dedicated> {
        let held = match &self.0 {
            Kind::Ours(pool) => Held::Ours(pool.get().await.map_err(from_pool)?),
            Kind::Given(pool) => {
                let connection = pool.get().await.map_err(from_pool)?;
                let line = Line::new(Connection((*connection).clone()));
                Held::Given(connection, line)
            }
        };
        Ok(Dedicated { held: Some(held) })
    }
}

impl Dedicated {
    pub(crate) fn shared(connection: Connection) -> Self {
        Self {
            held: Some(Held::Shared(Line::new(connection))),
        }
    }

    /// Returns the connection; `None` once it was given back.
    pub(crate) fn line(&mut self) -> Option<&mut Line> {
        match self.held.as_mut()? {
            Held::Ours(object) => Some(object),
            Held::Given(_, line) | Held::Shared(line) => Some(line),
        }
    }

    /// Keeps the connection for the next request.
    pub(crate) fn give_back(mut self) {
        drop(self.held.take());
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        match self.held.take() {
            Some(Held::Ours(object)) => drop(Object::take(object)),
            Some(Held::Given(connection, _)) => drop(deadpool_redis::Connection::take(connection)),
            Some(Held::Shared(_)) | None => {}
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
