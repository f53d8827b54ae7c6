//! The only rooms that know the driver: what goes out, what comes back, and what is sent again.

mod bulk;
mod call;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod dial;
mod link;
mod pool;
mod reply;
mod scan;
#[cfg(feature = "sentinel")]
mod sentinel;
mod server;
mod shared;
mod tls;

use std::time::Duration;

use redis::{RedisError, RedisResult};
use token_cache_core::{
    Error, Result,
    backend::{StoreRequest, backoff, time_left},
};
use tokio::time::Instant;

#[cfg(feature = "cluster")]
use self::cluster::Cluster;
pub(crate) use self::{
    call::{Call, Script},
    link::{Hears, Wire, gone},
    reply::{Reply, unexpected},
    scan::Position,
};
use self::{dial::Dialer, server::Server};
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
pub(crate) enum Idempotency {
    /// It changes nothing.
    Read,
    /// It leaves what it would have left once, however late the first one lands.
    Idempotent,
    /// Something else: it is sent again only where the server surely did not carry it out.
    NonIdempotent,
}

/// The way to the servers.
pub(crate) struct Client {
    source: Source,
    operation_timeout: Duration,
    durability: Durability,
}

/// Where connections come from.
enum Source {
    Server(Server, Others),
    #[cfg(feature = "cluster")]
    Cluster(Cluster),
}

/// How other connections to a server are opened than those that it has.
struct Others {
    dialer: Dialer,
    #[cfg(feature = "sentinel")]
    watch: Option<sentinel::Watch>,
}

/// What became of a request so far.
#[derive(Default)]
struct Progress {
    /// The connection that it is under way on.
    on: Option<Sent>,
    /// An attempt may have been carried out.
    ambiguous: bool,
}

/// A request that is under way.
struct Sent {
    server: Server,
    /// Of the server's shared connection.
    generation: u64,
    at: Instant,
}

impl Sent {
    /// Has another connection opened in place of the one that it was sent on.
    fn lose(&self) {
        self.server.lose(self.generation);
    }
}

impl Client {
    /// Opens the shared connection.
    pub(crate) async fn connect(config: &RedisConfig) -> Result<Self> {
        #[cfg(feature = "cluster")]
        if let crate::Topology::Cluster(nodes) = &config.topology {
            let cluster = Cluster::open(
                nodes.clone(),
                dial::ConnectOptions::of(config)?,
                config.connect_timeout,
                config.operation_timeout,
            );
            let cluster = cluster
                .await
                .map_err(|error| from_driver("connect", error))?;
            return Ok(Self {
                source: Source::Cluster(cluster),
                operation_timeout: config.operation_timeout,
                durability: config.durability,
            });
        }
        let dialer = Dialer::new(config)?;
        Self::dialing(dialer, config.operation_timeout, config.durability)
            .await
            .map_err(|error| from_driver("connect", error))
    }

    /// Opens connections with a client that the application already has.
    #[cfg(feature = "redis-1")]
    pub(crate) async fn existing(client: redis::Client, config: &RedisConfig) -> Result<Self> {
        let dialer = Dialer::of_client(client, config.connect_timeout);
        Self::dialing(dialer, config.operation_timeout, config.durability)
            .await
            .map_err(|error| from_driver("connect", error))
    }

    async fn dialing(
        dialer: Dialer,
        operation_timeout: Duration,
        durability: Durability,
    ) -> RedisResult<Self> {
        let server = Server::open(dialer.clone(), operation_timeout).await?;
        let others = Others {
            #[cfg(feature = "sentinel")]
            watch: dialer.watch(&server),
            dialer,
        };
        Ok(Self {
            source: Source::Server(server, others),
            operation_timeout,
            durability,
        })
    }

    /// Sends a call, again where that is safe, within the operation's timeout.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        idempotency: Idempotency,
        call: &Call,
    ) -> Result<Reply> {
        let mut progress = Progress::default();
        let deadline = self.deadline(operation)?;
        let _request = StoreRequest::begin();
        let error = match tokio::time::timeout_at(
            deadline,
            self.attempts(idempotency, call, deadline, &mut progress),
        )
        .await
        {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => from_driver(operation, error),
            Err(_) => {
                if let Some(sent) = &progress.on {
                    progress.ambiguous = true;
                    // The server may hang, or the network may have swallowed the connection. One that was sent late proves nothing.
                    if sent.at.elapsed() >= self.operation_timeout / 2 {
                        sent.lose();
                    }
                }
                self.source.suspect();
                timed_out(operation)
            }
        };
        Err(if progress.ambiguous && idempotency != Idempotency::Read {
            error.maybe_applied()
        } else {
            error
        })
    }

    /// When a request must have been answered that is sent now.
    fn deadline(&self, operation: &'static str) -> Result<Instant> {
        let left = time_left(self.operation_timeout);
        if left.is_zero() {
            return Err(timed_out(operation));
        }
        Ok(Instant::now() + left)
    }

    async fn attempts(
        &self,
        idempotency: Idempotency,
        call: &Call,
        deadline: Instant,
        progress: &mut Progress,
    ) -> RedisResult<Reply> {
        match self.attempt(call, progress).await {
            Ok(reply) => Ok(reply),
            // What seldom happens is in boxes of its own: every request would carry it otherwise.
            Err(error) => Box::pin(self.again(error, idempotency, call, deadline, progress)).await,
        }
    }

    /// Sends a call that failed again, where that is safe.
    async fn again(
        &self,
        mut error: RedisError,
        idempotency: Idempotency,
        call: &Call,
        deadline: Instant,
        progress: &mut Progress,
    ) -> RedisResult<Reply> {
        let mut attempt = 0;
        loop {
            let class = classify(&error);
            let sent = progress.on.take();
            if let Some(sent) = &sent
                && class.lost
            {
                sent.lose();
            }
            if class.passing {
                self.source.suspect();
            }
            let ambiguous = sent.is_some() && class.applied == Applied::Maybe;
            progress.ambiguous |= ambiguous;
            attempt += 1;
            let pause = backoff(PAUSE, attempt);
            let again = class.passing && (idempotency != Idempotency::NonIdempotent || !ambiguous);
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
            Source::Server(server, _) => attempt_at(server, call, progress).await,
            #[cfg(feature = "cluster")]
            Source::Cluster(cluster) => {
                match attempt_at(&cluster.server_of(&call.key)?, call, progress).await {
                    Err(error) => Box::pin(follow(cluster, error, call, progress)).await,
                    answer => answer,
                }
            }
        }
    }

    /// Whether accounts are spread over nodes.
    pub(crate) fn is_cluster(&self) -> bool {
        match &self.source {
            #[cfg(feature = "cluster")]
            Source::Cluster(_) => true,
            _ => false,
        }
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
    /// Finds out whether other servers are to be asked from now on: a request failed in a way that a failover would explain.
    fn suspect(&self) {
        match self {
            #[cfg(feature = "sentinel")]
            Self::Server(
                _,
                Others {
                    watch: Some(watch), ..
                },
            ) => watch.suspect(),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.refresh(),
            _ => {}
        }
    }
}

async fn attempt_at(server: &Server, call: &Call, progress: &mut Progress) -> RedisResult<Reply> {
    let (mut connection, generation) = server.connection().await?;
    progress.on = Some(Sent {
        server: server.clone(),
        generation,
        at: Instant::now(),
    });
    connection.send(call).await.map(Reply)
}

/// Sends a call to the node that has the key by now, if the one that was asked says which.
#[cfg(feature = "cluster")]
async fn follow(
    cluster: &Cluster,
    error: RedisError,
    call: &Call,
    progress: &mut Progress,
) -> RedisResult<Reply> {
    let Some(cluster::Redirect { server, asking }) = cluster.redirect(&error) else {
        return Err(error);
    };
    // What was refused is not under way.
    progress.on = None;
    if !asking {
        return attempt_at(&server, call, progress).await;
    }
    let (mut connection, generation) = server.connection().await?;
    progress.on = Some(Sent {
        server: server.clone(),
        generation,
        at: Instant::now(),
    });
    let (answer, _) = connection.ask(call, None).await?;
    Ok(Reply(answer))
}

fn nowhere() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::NotConnected).into()
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
