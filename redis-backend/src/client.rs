//! Requests to Redis, with retries. Only this module and its children use the crate `redis`.

mod backplane;
mod call;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod connector;
mod pipeline;
mod pool;
mod reply;
mod scan;
#[cfg(feature = "sentinel")]
mod sentinel;
mod server;
mod shared_connection;
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
    backplane::{MessageHandler, PubSubConnection, connection_lost},
    call::{Call, Script},
    reply::{Reply, unexpected},
    scan::ScanPosition,
};
use self::{connector::Connector, server::Server};
use crate::{
    Durability, RedisConfig,
    error::{Applied, classify, from_redis_error, timed_out},
};

/// The most attempts of a request.
const MAX_ATTEMPTS: u32 = 4;

/// The pause before a second attempt.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether a request may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// Changes nothing.
    Read,
    /// Has the same effect twice as once, even if the first copy arrives late.
    Idempotent,
    /// Is sent again only if the server certainly did not apply it.
    NonIdempotent,
}

/// A client for the servers of the configuration.
pub(crate) struct Client {
    source: Source,
    operation_timeout: Duration,
    durability: Durability,
}

/// The servers that connections lead to.
enum Source {
    Server(Server, StandaloneServer),
    #[cfg(feature = "cluster")]
    Cluster(Cluster),
}

/// What a single server has beside its connections.
struct StandaloneServer {
    connector: Connector,
    #[cfg(feature = "sentinel")]
    watch: Option<sentinel::FailoverWatcher>,
}

/// The progress of a request.
#[derive(Default)]
struct RequestProgress {
    /// The connection that the current attempt uses.
    in_flight: Option<InFlight>,
    /// Whether an attempt may have been applied.
    ambiguous: bool,
}

/// An attempt in flight.
struct InFlight {
    server: Server,
    /// The generation of the server's shared connection.
    generation: u64,
    at: Instant,
}

impl InFlight {
    /// Replaces the connection.
    fn mark_broken(&self) {
        self.server.mark_broken(self.generation);
    }
}

impl Client {
    /// Opens the shared connection.
    pub(crate) async fn connect(config: &RedisConfig) -> Result<Self> {
        #[cfg(feature = "cluster")]
        if let crate::Topology::Cluster(nodes) = &config.topology {
            let cluster = Cluster::open(
                nodes.clone(),
                connector::ConnectOptions::of(config)?,
                config.connect_timeout,
                config.operation_timeout,
            );
            let cluster = cluster
                .await
                .map_err(|error| from_redis_error("connect", error))?;
            return Ok(Self {
                source: Source::Cluster(cluster),
                operation_timeout: config.operation_timeout,
                durability: config.durability,
            });
        }
        let connector = Connector::new(config)?;
        Self::connect_with(connector, config.operation_timeout, config.durability).await
    }

    /// Opens connections with a client that the application already has.
    #[cfg(feature = "redis-1")]
    pub(crate) async fn existing(client: redis::Client, config: &RedisConfig) -> Result<Self> {
        let connector = Connector::with_client(client, config.connect_timeout);
        Self::connect_with(connector, config.operation_timeout, config.durability).await
    }

    async fn connect_with(
        connector: Connector,
        operation_timeout: Duration,
        durability: Durability,
    ) -> Result<Self> {
        let server = Server::open(connector.clone(), operation_timeout)
            .await
            .map_err(|error| from_redis_error("connect", error))?;
        let others = StandaloneServer {
            #[cfg(feature = "sentinel")]
            watch: connector.watch(&server),
            connector,
        };
        Ok(Self {
            source: Source::Server(server, others),
            operation_timeout,
            durability,
        })
    }

    /// Sends a call, and repeats it within the timeout of the operation if that is safe.
    pub(crate) async fn call(
        &self,
        operation: &'static str,
        idempotency: Idempotency,
        call: &Call,
    ) -> Result<Reply> {
        let mut progress = RequestProgress::default();
        let deadline = self.deadline(operation)?;
        let _request = StoreRequest::begin();
        let error = match tokio::time::timeout_at(
            deadline,
            self.send_with_retries(idempotency, call, deadline, &mut progress),
        )
        .await
        {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => from_redis_error(operation, error),
            Err(_) => {
                if let Some(sent) = &progress.in_flight {
                    progress.ambiguous = true;
                    // The server may hang, or the connection may be half-open. An attempt that was sent late proves nothing.
                    if sent.at.elapsed() >= self.operation_timeout / 2 {
                        sent.mark_broken();
                    }
                }
                self.source.check_topology();
                timed_out(operation)
            }
        };
        Err(if progress.ambiguous && idempotency != Idempotency::Read {
            error.maybe_applied()
        } else {
            error
        })
    }

    /// Returns the deadline of a request that is sent now.
    fn deadline(&self, operation: &'static str) -> Result<Instant> {
        let left = time_left(self.operation_timeout);
        if left.is_zero() {
            return Err(timed_out(operation));
        }
        Ok(Instant::now() + left)
    }

    async fn send_with_retries(
        &self,
        idempotency: Idempotency,
        call: &Call,
        deadline: Instant,
        progress: &mut RequestProgress,
    ) -> RedisResult<Reply> {
        match self.send_once(call, progress).await {
            Ok(reply) => Ok(reply),
            // Boxed, since it is rare and would make the future of every request larger.
            Err(error) => Box::pin(self.retry(error, idempotency, call, deadline, progress)).await,
        }
    }

    /// Repeats a call that failed, if that is safe.
    async fn retry(
        &self,
        mut error: RedisError,
        idempotency: Idempotency,
        call: &Call,
        deadline: Instant,
        progress: &mut RequestProgress,
    ) -> RedisResult<Reply> {
        let mut attempt = 0;
        loop {
            let class = classify(&error);
            let sent = progress.in_flight.take();
            if let Some(sent) = &sent
                && class.lost
            {
                sent.mark_broken();
            }
            if class.transient {
                self.source.check_topology();
            }
            let ambiguous = sent.is_some() && class.applied == Applied::Maybe;
            progress.ambiguous |= ambiguous;
            attempt += 1;
            let pause = backoff(PAUSE, attempt);
            let again =
                class.transient && (idempotency != Idempotency::NonIdempotent || !ambiguous);
            if !again || attempt == MAX_ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            error = match self.send_once(call, progress).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
        }
    }

    async fn send_once(&self, call: &Call, progress: &mut RequestProgress) -> RedisResult<Reply> {
        match &self.source {
            Source::Server(server, _) => send_to(server, call, progress).await,
            #[cfg(feature = "cluster")]
            Source::Cluster(cluster) => {
                match send_to(&cluster.server_of(&call.key)?, call, progress).await {
                    Err(error) => Box::pin(follow_redirect(cluster, error, call, progress)).await,
                    answer => answer,
                }
            }
        }
    }

    /// Returns whether the servers are a Cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        match &self.source {
            #[cfg(feature = "cluster")]
            Source::Cluster(_) => true,
            _ => false,
        }
    }

    /// Returns the number of replicas that must confirm a sign-out, if any.
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
    /// Checks in the background for a failover or moved slots, after an error that they would explain.
    fn check_topology(&self) {
        match self {
            #[cfg(feature = "sentinel")]
            Self::Server(
                _,
                StandaloneServer {
                    watch: Some(watch), ..
                },
            ) => watch.check_topology(),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.refresh(),
            _ => {}
        }
    }
}

async fn send_to(
    server: &Server,
    call: &Call,
    progress: &mut RequestProgress,
) -> RedisResult<Reply> {
    let (mut connection, generation) = server.connection().await?;
    progress.in_flight = Some(InFlight {
        server: server.clone(),
        generation,
        at: Instant::now(),
    });
    connection.send(call).await.map(Reply)
}

/// Follows a redirection: sends the call to the node that the error names.
#[cfg(feature = "cluster")]
async fn follow_redirect(
    cluster: &Cluster,
    error: RedisError,
    call: &Call,
    progress: &mut RequestProgress,
) -> RedisResult<Reply> {
    let Some(cluster::Redirect { server, asking }) = cluster.redirect(&error) else {
        return Err(error);
    };
    // The refused attempt is no longer in flight.
    progress.in_flight = None;
    if !asking {
        return send_to(&server, call, progress).await;
    }
    let (mut connection, generation) = server.connection().await?;
    progress.in_flight = Some(InFlight {
        server: server.clone(),
        generation,
        at: Instant::now(),
    });
    let (answer, _) = connection.send_asking(call, None).await?;
    Ok(Reply(answer))
}

fn not_connected() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::NotConnected).into()
}

/// Returns the error for a write that too few replicas confirmed.
fn too_few_replicas(operation: &'static str, asked: u32, have: u32) -> Error {
    Error::new(token_cache_core::ErrorKind::Unavailable, operation)
        .store(crate::STORE)
        .message(format!(
            "the primary has applied the write, but only {have} of {asked} replicas have confirmed it; repeat the call"
        ))
        .maybe_applied()
}
