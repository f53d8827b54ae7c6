use std::fmt;

use super::{
    AppendFsync, DynamoDbEngine, DynamoDbProxy, Kept, Line, Proxy, RedisOptions, RedisServer,
    ServerError,
};

/// The kinds of store on which hazards are tested. Each test runs on each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a test that handles one kind must handle them all"
)]
pub enum StoreKind {
    /// One Redis.
    Redis,
    /// One DynamoDB engine.
    DynamoDb,
}

/// A store of the test's own, to be killed, paused and restarted.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a test that handles one kind must handle them all"
)]
pub enum OwnStore {
    /// One Redis.
    Redis(Box<RedisServer>),
    /// One DynamoDB engine.
    DynamoDb(Box<DynamoDbEngine>),
}

impl OwnStore {
    /// Starts a store that loses its data in a restart.
    ///
    /// # Errors
    /// It is not available, or did not start. The message says what to do.
    pub fn start(kind: StoreKind) -> Result<Self, ServerError> {
        Ok(match kind {
            StoreKind::Redis => Self::redis(RedisOptions::default())?,
            StoreKind::DynamoDb => Self::DynamoDb(Box::new(DynamoDbEngine::start(Kept::InMemory)?)),
        })
    }

    /// Starts a store that retains all acknowledged writes over a restart.
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

    /// Returns the URL by which an app opens it, with these parameters (`name=value&…`, may be empty).
    pub fn url(&self, parameters: &str) -> String {
        let url = match self {
            Self::Redis(redis) => redis.url(),
            Self::DynamoDb(engine) => engine.url(),
        };
        with(&url, parameters)
    }

    /// Returns a new connection to this store that tests can break.
    ///
    /// # Errors
    /// No port is free.
    pub fn line(&self) -> Result<Line, ServerError> {
        Ok(match self {
            Self::Redis(redis) => Line::Redis(Proxy::start(redis.address())?),
            Self::DynamoDb(engine) => Line::DynamoDb(DynamoDbProxy::start(engine.address())?),
        })
    }

    /// Kills it as `kill -9` does. Its port stays reserved.
    ///
    /// # Errors
    /// It is down already.
    pub fn kill9(&mut self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.kill9(),
            Self::DynamoDb(engine) => engine.kill9(),
        }
    }

    /// Restarts it after [`kill9`](Self::kill9), with its persisted data.
    ///
    /// # Errors
    /// It is running already, or it did not start.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.restart(),
            Self::DynamoDb(engine) => engine.restart(),
        }
    }

    /// Pauses it (SIGSTOP). Connections stay open, but nothing is answered.
    ///
    /// # Errors
    /// It is down.
    pub fn pause(&self) -> Result<(), ServerError> {
        match self {
            Self::Redis(redis) => redis.pause(),
            Self::DynamoDb(engine) => engine.pause(),
        }
    }

    /// Resumes a paused store.
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

/// Adds parameters to a store's URL.
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
