use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, RecycleResult};
use redis::{ErrorKind, RedisError, RedisResult};
use tokio::sync::OnceCell;

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
    Ours(managed::Pool<Dialer>),
    /// The application's.
    Given(deadpool_redis::Pool),
}

/// A connection that nobody else uses meanwhile.
pub(crate) struct Dedicated {
    held: Held,
}

enum Held {
    Ours(Object<Dialer>),
    Given(deadpool_redis::Connection, Line),
    /// The shared connection, where the application gave no other.
    Shared(Line),
}

/// A connection, and what is known of its server.
pub(crate) struct Line {
    pub(crate) connection: Connection,
    pub(crate) server: OnceCell<String>,
    pub(super) loaded: Loaded,
}

impl Line {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            server: OnceCell::new(),
            loaded: Loaded::default(),
        }
    }
}

impl managed::Manager for Dialer {
    type Type = Line;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<Line> {
        self.dial().await.map(Line::new)
    }

    /// Asks nothing: one that failed was not given back, and whoever meets another that died meanwhile may send again.
    async fn recycle(&self, _: &mut Line, _: &Metrics) -> RecycleResult<RedisError> {
        Ok(())
    }
}

impl Pool {
    pub(crate) fn new(dialer: Dialer, wait: Duration) -> RedisResult<Self> {
        managed::Pool::builder(dialer)
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

    /// Closes what idles here: the server that it led to is gone, or no primary any more.
    pub(crate) fn clear(&self) {
        if let Kind::Ours(pool) = &self.0 {
            pool.retain(|_, _| false);
        }
    }

    pub(crate) async fn take(&self) -> RedisResult<Dedicated> {
        let held = match &self.0 {
            Kind::Ours(pool) => Held::Ours(pool.get().await.map_err(from_pool)?),
            Kind::Given(pool) => {
                let connection = pool.get().await.map_err(from_pool)?;
                let line = Line::new(Connection::Node((*connection).clone()));
                Held::Given(connection, line)
            }
        };
        Ok(Dedicated { held })
    }
}

impl Dedicated {
    pub(crate) fn shared(connection: Connection) -> Self {
        Self {
            held: Held::Shared(Line::new(connection)),
        }
    }

    pub(crate) fn line(&mut self) -> &mut Line {
        match &mut self.held {
            Held::Ours(object) => object,
            Held::Given(_, line) | Held::Shared(line) => line,
        }
    }

    /// Closes the connection instead of giving it back.
    pub(crate) fn discard(self) {
        match self.held {
            Held::Ours(object) => drop(Object::take(object)),
            Held::Given(connection, _) => drop(deadpool_redis::Connection::take(connection)),
            Held::Shared(_) => {}
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
