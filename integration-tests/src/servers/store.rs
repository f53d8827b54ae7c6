use std::fmt;

use super::{
    AppendFsync, DynamoDbEngine, DynamoDbProxy, Kept, Line, Proxy, RedisOptions, RedisServer,
    ServerError,
};

/// The kinds of store that a hazard can be shown on: what a test says of one it says of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a test that knows one kind must know them all"
)]
pub enum StoreKind {
    /// One Redis.
    Redis,
    /// One DynamoDB engine.
    DynamoDb,
}

/// A store of the test's own, to be killed, paused and restarted, whichever kind it is.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a test that knows one kind must know them all"
)]
pub enum OwnStore {
    /// One Redis.
    Redis(Box<RedisServer>),
    /// One DynamoDB engine.
    DynamoDb(Box<DynamoDbEngine>),
}

impl OwnStore {
    /// One that keeps nothing over a restart.
    ///
    /// # Errors
    /// It is not to be had, or did not come up; the text says what to do.
    pub fn start(kind: StoreKind) -> Result<Self, ServerError> {
        Ok(match kind {
            StoreKind::Redis => Self::redis(RedisOptions::default())?,
            StoreKind::DynamoDb => Self::DynamoDb(Box::new(DynamoDbEngine::start(Kept::InMemory)?)),
        })
    }

    /// One that comes back with all that it acknowledged.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn persistent(kind: StoreKind) -> Result<Self, ServerError> {
        Ok(match kind {
            StoreKind::Redis => Self::redis(RedisOptions {
                appendonly: Some(AppendFsync::Always),
                ..RedisOptions::default()
            })?,
            StoreKind::DynamoDb => Self::DynamoDb(Box::new(DynamoDbEngine::start(Kept::InFile)?)),
        })
    }

    fn redis(options: RedisOptions) -> Result<Self, ServerError> {
        Ok(Self::Redis(Box::new(RedisServer::start(options)?)))
    }

    /// The URL that an app opens it by, with these parameters (`name=value&…`; none is fine).
    pub fn url(&self, parameters: &str) -> String {
        let url = match self {
            Self::Redis(redis) => redis.url(),
            Self::DynamoDb(engine) => engine.url(),
        };
        with(&url, parameters)
    }

    /// A line of its own to this store, that can be broken.
    ///
    /// # Errors
    /// No port is free.
    pub fn line(&self) -> Result<Line, ServerError> {
        Ok(match self {
            Self::Redis(redis) => Line::Redis(Proxy::start(redis.address())?),
            Self::DynamoDb(engine) => Line::DynamoDb(DynamoDbProxy::start(engine.address())?),
        })
    }

    /// Kills it as `kill -9` does; its port stays reserved.
    ///
    /// # Errors
    /// It is down already.
    pub fn kill9(&mut self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.kill9(),
            Self::DynamoDb(engine) => engine.kill9(),
        }
    }

    /// Starts it again after [`kill9`](Self::kill9), over what it has kept.
    ///
    /// # Errors
    /// It runs already, or did not come up.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.restart(),
            Self::DynamoDb(engine) => engine.restart(),
        }
    }

    /// Freezes it (SIGSTOP): connections stay open, nothing is answered.
    ///
    /// # Errors
    /// It is down.
    pub fn pause(&self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.pause(),
            Self::DynamoDb(engine) => engine.pause(),
        }
    }

    /// Lets a paused one go on.
    ///
    /// # Errors
    /// It is down.
    pub fn resume(&self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.resume(),
            Self::DynamoDb(engine) => engine.resume(),
        }
    }
}

impl fmt::Display for OwnStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(redis) => f.write_str(&redis.version().unwrap_or_default()),
            Self::DynamoDb(_) => f.write_str("dynoxide"),
        }
    }
}

/// A store's URL with further parameters.
pub(crate) fn with(url: &str, parameters: &str) -> String {
    if parameters.is_empty() {
        return url.to_owned();
    }
    let separator = match url.split_once("://") {
        Some((_, rest)) if rest.contains('?') => "&",
        Some((_, rest)) if rest.contains('/') => "?",
        _ => "/?",
    };
    format!("{url}{separator}{parameters}")
}
