use std::time::Duration;

use redis::{RedisError, RedisResult};
use token_cache_core::{
    Result,
    backend::{StoreRequest, backoff},
};
use tokio::time::Instant;

use super::{
    Client, Idempotency, MAX_ATTEMPTS, PAUSE, Source,
    call::Call,
    connection::{PipelineReply, Wait},
    pool::{DedicatedConnection, PooledConnection},
    reply::Reply,
    server::{CloseIdleUnlessAnswered, Server},
    too_few_replicas,
};
use crate::error::{Applied, classify, from_redis_error, timed_out};

/// A reply, and the number of replicas that confirmed it, or `None` without a wait.
pub(crate) struct Confirmed<T> {
    pub(crate) answer: T,
    pub(crate) replicas: Option<u32>,
}

impl Client {
    /// Sends a call, and waits for the replicas of the configured durability.
    ///
    /// If too few replicas confirm it in time, it is an error with `may_have_applied`.
    pub(crate) async fn confirmed(
        &self,
        operation: &'static str,
        idempotency: Idempotency,
        call: Call,
    ) -> Result<Confirmed<Reply>> {
        if self.replicas().is_none() {
            let answer = self.call(operation, idempotency, &call).await?;
            return Ok(Confirmed {
                answer,
                replicas: None,
            });
        }
        let Confirmed { answer, replicas } = self.pipeline(operation, idempotency, &[call]).await?;
        let answer = answer
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(super::unexpected(operation)))?;
        Ok(Confirmed { answer, replicas })
    }

    /// Sends calls to one node in a pipeline on a dedicated connection.
    pub(crate) async fn pipeline(
        &self,
        operation: &'static str,
        idempotency: Idempotency,
        calls: &[Call],
    ) -> Result<Confirmed<Vec<Result<Reply>>>> {
        let deadline = self.deadline(operation)?;
        let _request = StoreRequest::begin();
        let mut ambiguous = false;
        let attempts = self.pipeline_with_retries(idempotency, calls, deadline, &mut ambiguous);
        let outcome = tokio::time::timeout_at(deadline, attempts).await;
        let marked = |error: token_cache_core::Error, ambiguous: bool| {
            if ambiguous && idempotency != Idempotency::Read {
                error.maybe_applied()
            } else {
                error
            }
        };
        let PipelineReply { replies, replicas } = match outcome {
            Ok(Ok(replies)) => replies,
            Ok(Err(error)) => return Err(marked(from_redis_error(operation, error), ambiguous)),
            Err(_) => {
                self.source.check_topology();
                return Err(marked(timed_out(operation), ambiguous));
            }
        };
        if let Some(asked) = self.replicas()
            && idempotency != Idempotency::Read
        {
            let have = replicas.unwrap_or(0);
            // An error of the server itself says more.
            if have < asked && replies.iter().all(Result::is_ok) {
                // The server may have been demoted.
                self.source.check_topology();
                return Err(too_few_replicas(operation, asked, have));
            }
        }
        let answer = replies
            .into_iter()
            .map(|answer| {
                answer
                    .map(Reply)
                    .map_err(|error| from_redis_error(operation, error))
            })
            .collect();
        Ok(Confirmed { answer, replicas })
    }

    async fn pipeline_with_retries(
        &self,
        idempotency: Idempotency,
        calls: &[Call],
        deadline: Instant,
        ambiguous: &mut bool,
    ) -> RedisResult<PipelineReply> {
        let mut attempt = 0;
        let mut redirect: Option<Route> = None;
        loop {
            let route = match redirect.take() {
                Some(route) => Ok(route),
                None => self.route_of(calls),
            };
            let pooled = match &route {
                Ok(route) => route.server.dedicated().await,
                Err(error) => Err(error.clone()),
            };
            let (error, landed) = match (route, pooled) {
                (Err(error), _) | (_, Err(error)) => (error, false),
                (Ok(route), Ok(pooled)) => {
                    // Ambiguous until the reply arrives.
                    let earlier = std::mem::replace(ambiguous, true);
                    let wait = self
                        .replicas()
                        .filter(|_| idempotency != Idempotency::Read)
                        .map(|replicas| Wait {
                            replicas,
                            millis: wait_millis(deadline),
                        });
                    let error = match route.send(pooled, calls, wait).await {
                        Ok(replies) => return Ok(replies),
                        Err(error) => error,
                    };
                    *ambiguous = earlier || classify(&error).applied == Applied::Maybe;
                    (error, *ambiguous)
                }
            };
            let class = classify(&error);
            if class.transient {
                self.source.check_topology();
            }
            redirect = self.redirect(&error);
            attempt += 1;
            let pause = match redirect {
                Some(_) => Duration::ZERO,
                None => backoff(PAUSE, attempt),
            };
            let again = class.transient && (idempotency != Idempotency::NonIdempotent || !landed);
            if !again || attempt == MAX_ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns the route of the first call.
    fn route_of(&self, calls: &[Call]) -> RedisResult<Route> {
        let server = match &self.source {
            Source::Server(server, _) => server.clone(),
            #[cfg(feature = "cluster")]
            Source::Cluster(cluster) => {
                let key = calls.first().map_or(&[][..], |call| &call.key);
                cluster.server_of(key)?
            }
        };
        let _ = calls;
        Ok(Route {
            server,
            asking: false,
        })
    }

    /// Returns the route in a redirection.
    fn redirect(&self, error: &RedisError) -> Option<Route> {
        #[cfg(feature = "cluster")]
        if let Source::Cluster(cluster) = &self.source {
            let super::cluster::Redirect { server, asking } = cluster.redirect(error)?;
            return Some(Route { server, asking });
        }
        let _ = error;
        None
    }
}

/// The destination of a pipeline.
struct Route {
    server: Server,
    /// Whether the node imports the slot, and accepts one call after `ASKING`.
    asking: bool,
}

impl Route {
    /// Sends calls on a dedicated connection. If the connection fails or the request is cancelled, closes it and the idle connections.
    ///
    /// A refusal by the whole node, such as by a replica, is an error for all calls.
    async fn send(
        &self,
        mut pooled: PooledConnection,
        calls: &[Call],
        wait: Option<Wait>,
    ) -> RedisResult<PipelineReply> {
        let close_idle = CloseIdleUnlessAnswered::of(&self.server);
        let dedicated = pooled.connection().ok_or_else(super::not_connected)?;
        let sent = match (self.asking, calls) {
            #[cfg(feature = "cluster")]
            (true, [call]) => {
                let asked = dedicated.connection.send_asking(call, wait).await;
                asked.map(|(answer, replicas)| PipelineReply {
                    replies: vec![Ok(answer)],
                    replicas,
                })
            }
            _ => {
                let DedicatedConnection {
                    connection, loaded, ..
                } = dedicated;
                connection.send_pipeline(calls, wait, loaded).await
            }
        };
        let sent = match (first_transient_refusal(&sent), sent) {
            (Some(refused), Ok(_)) => Err(refused),
            (_, sent) => sent,
        };
        if !sent.as_ref().is_err_and(|error| classify(error).lost) {
            close_idle.answered();
            pooled.return_to_pool();
        }
        sent
    }
}

/// Returns a refusal by the whole node, such as by a replica.
fn first_transient_refusal(sent: &RedisResult<PipelineReply>) -> Option<redis::RedisError> {
    let PipelineReply { replies, .. } = sent.as_ref().ok()?;
    replies
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .find(|error| classify(error).transient)
        .cloned()
}

/// Returns a timeout for `WAIT` that ends before the deadline. Zero would be no timeout.
fn wait_millis(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from((left * 4 / 5).as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}
