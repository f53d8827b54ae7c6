//! The connection to the backplane: requests, and push messages.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use redis::{PushInfo, PushKind, RedisError, RedisResult, Value, aio::AsyncPushSender};
use token_cache_core::{Error, ErrorKind, Result};
use tokio::sync::watch;

use super::{
    Client, Source,
    call::Call,
    connection::{Connection, LoadedScripts, PipelineReply, Wait},
    connector::Connector,
    reply::Reply,
    too_few_replicas,
};
use crate::error::{Applied, classify, from_redis_error, timed_out};

/// A handler of the messages of the backplane. It is called in order and must not block.
pub(crate) trait MessageHandler: Send + Sync + 'static {
    /// Handles a message. Returns `false` if the connection must be replaced.
    fn on_message(&self, channel: &[u8], message: &[u8]) -> bool;
}

/// An open connection to the backplane. After a failure it is lost and another one is opened. It does not retry.
pub(crate) struct PubSubConnection {
    connection: Connection,
    loaded: Mutex<LoadedScripts>,
    lost: watch::Sender<bool>,
    timeout: Duration,
    replicas: Option<u32>,
}

/// The handler of the push messages of the driver.
struct PushHandler<H> {
    handler: H,
    lost: watch::Sender<bool>,
}

impl Client {
    /// Opens a connection to the server of `key`, subscribed to both channels.
    pub(crate) async fn open_backplane_connection(
        &self,
        operation: &'static str,
        key: &[u8],
        channels: [&[u8]; 2],
        handler: impl MessageHandler,
    ) -> Result<PubSubConnection> {
        let failed = |error| from_redis_error(operation, error);
        let connector = self.connector_for(operation, key).await?;
        let lost = watch::Sender::new(false);
        #[cfg(feature = "sentinel")]
        if let Source::Server(_, others) = &self.source
            && let Some(watch) = &others.watch
        {
            watch.add(lost.clone());
        }
        let push_handler = PushHandler {
            handler,
            lost: lost.clone(),
        };
        let connection = connector
            .connect_with_push_sender(std::sync::Arc::new(push_handler))
            .await
            .map_err(failed)?;
        let pubsub = PubSubConnection {
            connection: Connection(connection),
            loaded: Mutex::default(),
            lost,
            timeout: self.operation_timeout,
            replicas: self.replicas(),
        };
        for channel in channels {
            let subscribe = Call::command("SSUBSCRIBE", channel.to_vec());
            pubsub.send(operation, &subscribe).await?;
        }
        Ok(pubsub)
    }

    /// Returns the connector of the server of `key`.
    async fn connector_for(&self, operation: &'static str, key: &[u8]) -> Result<Connector> {
        match &self.source {
            Source::Server(_, others) => {
                let _ = (operation, key);
                Ok(others.connector.clone())
            }
            #[cfg(feature = "cluster")]
            Source::Cluster(cluster) => {
                let failed = |error| from_redis_error(operation, error);
                let slots = cluster.find_slots().await.map_err(failed)?;
                let node = slots
                    .node_of(key)
                    .ok_or_else(|| connection_lost(operation))?;
                cluster.connector_at(node).map_err(failed)
            }
        }
    }
}

impl PubSubConnection {
    /// Sends a call.
    pub(crate) async fn send(&self, operation: &'static str, call: &Call) -> Result<Reply> {
        let mut connection = self.connection.clone();
        self.in_time(operation, connection.send(call))
            .await
            .map(Reply)
    }

    /// Sends a call, and waits for the replicas of the configured durability.
    pub(crate) async fn confirmed(&self, operation: &'static str, call: Call) -> Result<Reply> {
        let Some(asked) = self.replicas else {
            return self.send(operation, &call).await;
        };
        let wait = Wait {
            replicas: asked,
            millis: u64::try_from((self.timeout * 4 / 5).as_millis())
                .unwrap_or(u64::MAX)
                .max(1),
        };
        let PipelineReply { replies, replicas } =
            self.pipeline(operation, &[call], Some(wait)).await?;
        let answer = replies
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into()));
        let answer = answer.map_err(|error| self.failed(operation, error))?;
        let have = replicas.unwrap_or(0);
        if have < asked {
            self.mark_broken();
            return Err(too_few_replicas(operation, asked, have));
        }
        Ok(Reply(answer))
    }

    /// Sends calls in a pipeline, and ignores the replies that are not errors.
    pub(crate) async fn send_all(&self, operation: &'static str, calls: &[Call]) -> Result<()> {
        for answer in self.pipeline(operation, calls, None).await?.replies {
            answer.map_err(|error| self.failed(operation, error))?;
        }
        Ok(())
    }

    async fn pipeline(
        &self,
        operation: &'static str,
        calls: &[Call],
        wait: Option<Wait>,
    ) -> Result<PipelineReply> {
        let mut connection = self.connection.clone();
        let mut loaded = self.loaded().clone();
        let sending = connection.send_pipeline(calls, wait, &mut loaded);
        let sent = self.in_time(operation, sending).await;
        *self.loaded() = loaded;
        sent
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, LoadedScripts> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn in_time<T>(
        &self,
        operation: &'static str,
        sending: impl Future<Output = RedisResult<T>>,
    ) -> Result<T> {
        if self.is_lost() {
            return Err(connection_lost(operation));
        }
        match tokio::time::timeout(self.timeout, sending).await {
            // A push message may have been taken for the reply.
            Ok(Ok(_)) if self.is_lost() => Err(connection_lost(operation).maybe_applied()),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(operation, error)),
            Err(_) => {
                self.mark_broken();
                Err(timed_out(operation).maybe_applied())
            }
        }
    }

    fn failed(&self, operation: &'static str, error: RedisError) -> Error {
        let class = classify(&error);
        if class.lost || class.transient {
            self.mark_broken();
        }
        let error = from_redis_error(operation, error);
        if class.applied == Applied::Maybe {
            error.maybe_applied()
        } else {
            error
        }
    }

    /// Marks the connection as lost.
    pub(crate) fn mark_broken(&self) {
        self.lost.send_replace(true);
    }

    pub(crate) fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    /// Waits until the connection is lost.
    pub(crate) async fn lost(&self) {
        // The channel never closes, since `self` has a sender.
        let _ = self.lost.subscribe().wait_for(|lost| *lost).await;
    }
}

/// Returns the error for a lost connection.
pub(crate) fn connection_lost(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, operation)
        .store(crate::STORE)
        .message("the connection to the backplane was lost; a new one is being opened")
}

impl<H: MessageHandler> AsyncPushSender for PushHandler<H> {
    fn send(&self, push: PushInfo) -> std::result::Result<(), redis::aio::SendError> {
        let is_usable = match (push.kind, push.data.as_slice()) {
            (PushKind::SMessage, [Value::BulkString(channel), Value::BulkString(message)]) => {
                self.handler.on_message(channel, message)
            }
            // The slot has moved, or the connection is closed.
            (PushKind::SMessage | PushKind::SUnsubscribe | PushKind::Disconnection, _) => false,
            _ => true,
        };
        if !is_usable {
            self.lost.send_replace(true);
        }
        Ok(())
    }
}

impl<H> Drop for PushHandler<H> {
    fn drop(&mut self) {
        self.lost.send_replace(true);
    }
}
