//! Finding the primary through Sentinels, and following a failover.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{
    Client as RedisClient, ErrorKind, RedisError, RedisResult, Value, aio::MultiplexedConnection,
};
use token_cache_core::{ErrorKind::Denied, backend::backoff};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{
    connector::{ConnectOptions, PushSender, open},
    server::Server,
};
use crate::{
    Address, Sentinel,
    error::{SentinelFault, classify, is_more_specific},
};

/// The channel on which a Sentinel publishes a new primary.
const SWITCH_MASTER: &str = "+switch-master";

/// The interval and the number of checks after a hint of a failover.
const RECHECK_INTERVAL: Duration = Duration::from_millis(100);
const RECHECKS: u32 = 50;

/// The interval of checks without a hint, since a message may be lost.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The Sentinels, and the primary of the last connection. Clones share it.
#[derive(Clone)]
pub(super) struct Sentinels {
    clients: Arc<Vec<RedisClient>>,
    service: Arc<str>,
    primary_options: ConnectOptions,
    /// The address of the last connection.
    last_primary: Arc<Mutex<Option<Address>>>,
}

impl Sentinels {
    pub(super) fn new(
        sentinel: &Sentinel,
        sentinel_options: &ConnectOptions,
        primary_options: ConnectOptions,
    ) -> RedisResult<Self> {
        let sentinels: RedisResult<_> = sentinel
            .sentinels
            .iter()
            .map(|address| sentinel_options.node(address))
            .collect();
        Ok(Self {
            clients: Arc::new(sentinels?),
            service: sentinel.service.as_str().into(),
            primary_options,
            last_primary: Arc::default(),
        })
    }

    /// Opens a connection to the server that the Sentinels name, and checks that it is a primary.
    pub(super) async fn connect(
        &self,
        timeout: Duration,
        push_sender: Option<PushSender>,
    ) -> RedisResult<MultiplexedConnection> {
        // Leaves time for the primary if the Sentinels hang.
        let half = timeout / 2;
        let address = self.find_primary(half).await?;
        let primary = self.primary_options.node(&address)?;
        let mut primary = open(&primary, half, push_sender).await?;
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut primary).await?;
        match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => {
                *self.last_primary() = Some(address);
                Ok(primary)
            }
            _ => Err(SentinelFault::NoPrimary.into()),
        }
    }

    /// Returns the server that the majority of the Sentinels names. A Sentinel without a connection to the others may name an old one.
    async fn find_primary(&self, timeout: Duration) -> RedisResult<Address> {
        let mut replies: FuturesUnordered<_> = self
            .clients
            .iter()
            .map(|sentinel| self.ask_sentinel(sentinel, timeout))
            .collect();
        let mut votes: Vec<(Address, usize)> = Vec::new();
        let mut failed = unknown_service();
        while let Some(answer) = replies.next().await {
            let address = match answer {
                Ok(address) => address,
                Err(error) => {
                    if is_more_specific(&error, &failed) {
                        failed = error;
                    }
                    continue;
                }
            };
            let known = votes.iter().position(|(other, _)| *other == address);
            let at = known.unwrap_or_else(|| {
                votes.push((address.clone(), 0));
                votes.len() - 1
            });
            votes[at].1 += 1;
            let votes_for = votes[at].1;
            if votes_for * 2 > self.clients.len() {
                return Ok(address);
            }
        }
        votes.sort_by_key(|(_, votes)| *votes);
        match votes.pop() {
            None => Err(failed),
            // A tie: a failover is in progress.
            Some((_, most)) if votes.last().is_some_and(|(_, votes)| *votes == most) => {
                Err(SentinelFault::Undecided.into())
            }
            Some((address, _)) => Ok(address),
        }
    }

    async fn ask_sentinel(
        &self,
        sentinel: &RedisClient,
        timeout: Duration,
    ) -> RedisResult<Address> {
        let asking = async {
            let mut asked = open(sentinel, timeout, None).await?;
            let named: Option<(String, u16)> = redis::cmd("SENTINEL")
                .arg("GET-MASTER-ADDR-BY-NAME")
                .arg(&*self.service)
                .query_async(&mut asked)
                .await?;
            let (host, port) = named.ok_or_else(unknown_service)?;
            Ok(Address::new(host, port))
        };
        match tokio::time::timeout(timeout, asking).await {
            // The Sentinels have their own credentials.
            Ok(Err(error)) if classify(&error).kind == Denied => Err(SentinelFault::Refused.into()),
            Ok(named) => named,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    fn last_primary(&self) -> std::sync::MutexGuard<'_, Option<Address>> {
        self.last_primary
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows failovers until it is dropped. It subscribes to each Sentinel, and asks all of them after a message. When the majority names
/// another primary, it replaces every connection.
pub(super) struct FailoverWatcher {
    tasks: Vec<AbortHandle>,
    recheck: Arc<Notify>,
    lost_signals: LostSignals,
}

/// The signals that a connection to the backplane is lost.
type LostSignals = Arc<Mutex<Vec<watch::Sender<bool>>>>;

impl FailoverWatcher {
    pub(super) fn start(sentinels: &Sentinels, server: &Server, timeout: Duration) -> Self {
        let (recheck, lost_signals) = (Arc::new(Notify::new()), LostSignals::default());
        let mut tasks: Vec<AbortHandle> = (0..sentinels.clients.len())
            .map(|at| listen(sentinels.clone(), at, Arc::clone(&recheck), timeout))
            .map(|listening| tokio::spawn(listening).abort_handle())
            .collect();
        let following = follow(
            sentinels.clone(),
            server.clone(),
            Arc::clone(&recheck),
            Arc::clone(&lost_signals),
            timeout,
        );
        tasks.push(tokio::spawn(following).abort_handle());
        Self {
            tasks,
            recheck,
            lost_signals,
        }
    }

    /// Asks the Sentinels now, after an error that a failover would explain.
    pub(super) fn check_topology(&self) {
        self.recheck.notify_one();
    }

    /// Adds the signal of a connection to the backplane, which is lost when another server is the primary.
    pub(super) fn add(&self, signal: watch::Sender<bool>) {
        let mut lost_signals = self
            .lost_signals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        lost_signals.retain(|signal| !*signal.borrow());
        lost_signals.push(signal);
    }
}

impl Drop for FailoverWatcher {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Subscribes to one Sentinel until the task is aborted.
async fn listen(sentinels: Sentinels, at: usize, recheck: Arc<Notify>, timeout: Duration) {
    let Some(sentinel) = sentinels.clients.get(at) else {
        return;
    };
    let mut attempt = 0;
    loop {
        let opening = async {
            let mut messages = sentinel.get_async_pubsub().await?;
            messages.subscribe(SWITCH_MASTER).await?;
            Ok::<_, RedisError>(messages)
        };
        if let Ok(Ok(mut messages)) = tokio::time::timeout(timeout, opening).await {
            attempt = 0;
            // A message may have been missed.
            recheck.notify_one();
            let mut messages = messages.on_message();
            while let Some(message) = messages.next().await {
                let text: String = message.get_payload().unwrap_or_default();
                if text.split(' ').next() == Some(&*sentinels.service) {
                    recheck.notify_one();
                }
            }
        }
        tokio::time::sleep(backoff(RECHECK_INTERVAL, attempt)).await;
        attempt = attempt.saturating_add(1);
    }
}

/// Asks the Sentinels after each hint, until the task is aborted.
async fn follow(
    sentinels: Sentinels,
    server: Server,
    recheck: Arc<Notify>,
    lost_signals: LostSignals,
    timeout: Duration,
) {
    let mut asks = 0;
    loop {
        let pause = if asks > 0 {
            RECHECK_INTERVAL
        } else {
            POLL_INTERVAL
        };
        if tokio::time::timeout(pause, recheck.notified())
            .await
            .is_ok()
        {
            // The Sentinels learn about a failover one after the other.
            asks = RECHECKS;
        }
        asks = asks.saturating_sub(1);
        let Ok(named) = sentinels.find_primary(timeout).await else {
            continue;
        };
        let last_primary = sentinels.last_primary().clone();
        if last_primary.is_none_or(|last_primary| last_primary == named) {
            continue;
        }
        // `None` until the new server is reached, which may not be a primary at once.
        *sentinels.last_primary() = None;
        server.replace();
        for signal in lost_signals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            signal.send_replace(true);
        }
        token_cache_core::telemetry::warn(
            "primary_switched",
            format_args!(
                "the Sentinels name {named} as the primary of `{}` now; every connection to the former one is replaced",
                sentinels.service
            ),
        );
    }
}

fn unknown_service() -> RedisError {
    (
        ErrorKind::MasterNameNotFoundBySentinel,
        "the Sentinels do not monitor this service",
    )
        .into()
}
