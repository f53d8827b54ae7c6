//! The only rooms that know the driver: what goes out, what comes back, and what is sent again.

mod bulk;
mod call;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod dial;
mod given;
mod link;
mod pool;
mod reply;
mod scan;
#[cfg(feature = "sentinel")]
mod sentinel;
mod shared;
mod tls;

use std::time::Duration;

use redis::{RedisError, RedisResult};
use token_cache_core::{Error, Result, backend::backoff};
use tokio::time::Instant;

pub(crate) use self::{
    call::{Call, Script},
    link::{Hears, Wire, gone},
    reply::{Reply, unexpected},
    scan::Position,
};
use self::{dial::Dialer, pool::Pool, shared::Shared};
use crate::{
    Durability, RedisConfig,
    error::{Applied, classify, from_driver, timed_out},
};

/// How often a request is sent at the most.
const ATTEMPTS: u32 = 4;

/// The pause before a second attempt.
const PAUSE: Duration = Duration::from_millis(10);

/// What a request does if it is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing.
    Reads,
    /// It leaves what it would have left once, however late the first one lands.
    Repeatable,
    /// Something else: it is sent again only where the server surely did not carry it out.
    Once,
}

/// The way to the servers.
pub(crate) struct Client {
    source: Source,
    /// None where the application gave what is open already.
    dialer: Option<Dialer>,
    dedicated: Option<Pool>,
    operation_timeout: Duration,
    durability: Durability,
    clustered: bool,
}

/// Where the connection for everyday requests comes from.
enum Source {
    Shared(Shared),
    /// The application's pool.
    Pool(Pool),
}

/// What became of a request so far.
#[derive(Default)]
struct Progress {
    /// The connection that it is under way on.
    on: Option<u64>,
    /// An attempt may have been carried out.
    ambiguous: bool,
}

impl Client {
    /// Opens the shared connection.
    pub(crate) async fn connect(config: &RedisConfig) -> Result<Self> {
        let dialer = Dialer::new(config)?;
        Self::dialing(dialer, config.operation_timeout, config.durability).await
    }

    async fn dialing(
        dialer: Dialer,
        operation_timeout: Duration,
        durability: Durability,
    ) -> Result<Self> {
        let failed = |error| from_driver("connect", error);
        let dedicated = Pool::new(dialer.clone(), operation_timeout).map_err(failed)?;
        let clustered = dialer.leads_to_cluster();
        let shared = Shared::open(dialer.clone()).await.map_err(failed)?;
        Ok(Self {
            clustered,
            source: Source::Shared(shared),
            dialer: Some(dialer).filter(Dialer::opens_others),
            dedicated: Some(dedicated),
            operation_timeout,
            durability,
        })
    }

    /// Sends a call, again where that is safe, within the operation's timeout.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        effect: Effect,
        call: &Call,
    ) -> Result<Reply> {
        let mut progress = Progress::default();
        let deadline = Instant::now() + self.operation_timeout;
        let error = match tokio::time::timeout_at(
            deadline,
            self.attempts(effect, call, deadline, &mut progress),
        )
        .await
        {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => from_driver(operation, error),
            Err(_) => {
                if let Some(generation) = progress.on {
                    progress.ambiguous = true;
                    // The server may hang, or the network may have swallowed the connection.
                    self.source.lose(generation);
                }
                timed_out(operation)
            }
        };
        Err(if progress.ambiguous && effect != Effect::Reads {
            error.maybe_applied()
        } else {
            error
        })
    }

    async fn attempts(
        &self,
        effect: Effect,
        call: &Call,
        deadline: Instant,
        progress: &mut Progress,
    ) -> RedisResult<Reply> {
        match self.attempt(call, progress).await {
            Ok(reply) => Ok(reply),
            // What seldom happens is in boxes of its own: every request would carry it otherwise.
            Err(error) => Box::pin(self.again(error, effect, call, deadline, progress)).await,
        }
    }

    /// Sends a call that failed again, where that is safe.
    async fn again(
        &self,
        mut error: RedisError,
        effect: Effect,
        call: &Call,
        deadline: Instant,
        progress: &mut Progress,
    ) -> RedisResult<Reply> {
        let mut attempt = 0;
        loop {
            let class = classify(&error);
            let sent = progress.on.take();
            if let Some(generation) = sent
                && class.lost
            {
                self.source.lose(generation);
            }
            let ambiguous = sent.is_some() && class.applied == Applied::Maybe;
            progress.ambiguous |= ambiguous;
            attempt += 1;
            let pause = backoff(PAUSE, attempt);
            let again = class.passing && (effect != Effect::Once || !ambiguous);
            if !again || attempt == ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            error = match self.attempt(call, progress).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
        }
    }

    async fn attempt(&self, call: &Call, progress: &mut Progress) -> RedisResult<Reply> {
        match &self.source {
            Source::Shared(shared) => {
                let (mut connection, generation) = match shared.now() {
                    Some(now) => now?,
                    None => Box::pin(shared.connection()).await?,
                };
                progress.on = Some(generation);
                connection.send(call).await.map(Reply)
            }
            Source::Pool(pool) => Box::pin(self.attempt_on(pool, call, progress)).await,
        }
    }

    async fn attempt_on(
        &self,
        pool: &Pool,
        call: &Call,
        progress: &mut Progress,
    ) -> RedisResult<Reply> {
        let mut taken = pool.take().await?;
        progress.on = Some(0);
        let sent = taken.line().connection.send(call).await;
        self.give_back(taken, sent.as_ref().err());
        sent.map(Reply)
    }

    /// A connection that failed is closed, and those that idle with it.
    fn give_back(&self, taken: pool::Dedicated, error: Option<&RedisError>) {
        if error.is_some_and(|error| classify(error).lost) {
            taken.discard();
            if let Some(pool) = &self.dedicated {
                pool.clear();
            }
        }
    }

    /// Whether accounts are spread over nodes.
    pub(crate) fn is_cluster(&self) -> bool {
        self.clustered
    }

    /// How many replicas must have a sign-out before it counts.
    pub(crate) fn replicas(&self) -> Option<u32> {
        match self.durability {
            Durability::Primary => None,
            Durability::Replicas(replicas) => Some(replicas),
        }
    }

    pub(crate) fn operation_timeout(&self) -> Duration {
        self.operation_timeout
    }
}

impl Source {
    fn lose(&self, generation: u64) {
        if let Self::Shared(shared) = self {
            shared.lose(generation);
        }
    }
}

/// Fewer replicas than asked for have it.
fn unconfirmed(operation: &'static str, asked: u32, have: u32) -> Error {
    Error::new(token_cache_core::ErrorKind::Unavailable, operation)
        .store(crate::STORE)
        .message(format!(
            "the primary has carried it out, but {have} of {asked} replicas have it yet; ask again"
        ))
        .maybe_applied()
}
