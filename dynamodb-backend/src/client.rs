//! The only rooms that know the driver: what goes out, what comes back, and what is sent again.

mod batch;
mod expression;
mod fault;
mod item;
mod paginate;
mod requests;
mod retry;
mod sdk_config;
mod server_dates;
mod table;
mod transact;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use token_cache_core::{
    Error, ErrorKind, Result, Timestamp,
    backend::{backoff, time_left},
};
use tokio::time::Instant;

pub(crate) use self::{
    expression::Expression,
    item::{Item, Value},
    sdk_config::load_sdk_config,
    table::{TableInfo, TimeToLive},
    transact::TransactOutcome,
};
use crate::{
    DynamoDbConfig,
    clock::{Clock, ClockInterval},
    error::{signed_out, timed_out},
};

/// The pause after a race that was lost, and before a second attempt.
const PAUSE: Duration = Duration::from_millis(10);

/// What a request does if it is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// It changes nothing.
    Read,
    /// It leaves what it would have left once, however late the first one lands.
    Idempotent,
    /// Something else: it is sent again only where the service surely did not carry it out.
    NonIdempotent,
}

/// What an update answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReturnValues {
    Nothing,
    /// What was replaced.
    Old,
    /// The whole item as it is now.
    New,
}

/// What a condition refused, and what was there instead where that was asked for.
pub(crate) struct ConditionNotMet {
    pub(crate) existing: Option<Item>,
}

/// An operation under way: what errors call it, and when its time is up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    deadline: Instant,
    last_retry: Instant,
}

impl Operation {
    pub(crate) fn within(name: &'static str, time: Duration) -> Self {
        let now = Instant::now();
        Self {
            name,
            deadline: now + time,
            last_retry: now + time * 9 / 10,
        }
    }

    /// Whether there is time to send again after a pause, and for the answer: a request that is cut off says nothing, where the refusal before
    /// it said that nothing was done.
    fn has_time_after(&self, pause: Duration) -> bool {
        Instant::now() + pause < self.last_retry
    }
}

/// The way to one table.
#[derive(Clone)]
pub(crate) struct Client {
    sdk: aws_sdk_dynamodb::Client,
    table: String,
    operation_timeout: Duration,
    clock: Arc<Clock>,
    last: Arc<AtomicU64>,
}

impl Client {
    /// A client with the credentials, the connections and the endpoint of `config`, and retries and timeouts of our own.
    pub(crate) fn new(
        config: aws_sdk_dynamodb::config::Builder,
        settings: &DynamoDbConfig,
    ) -> Self {
        let clock = Arc::<Clock>::default();
        let config = sdk_config::with_own_retries(config, settings, Arc::clone(&clock));
        Self {
            sdk: aws_sdk_dynamodb::Client::from_conf(config),
            table: settings.table.clone(),
            operation_timeout: settings.operation_timeout,
            clock,
            last: Arc::default(),
        }
    }

    pub(crate) fn start(&self, name: &'static str) -> Operation {
        Operation::within(name, time_left(self.operation_timeout))
    }

    /// What the table's clock says.
    pub(crate) fn now(&self) -> Result<ClockInterval> {
        self.clock.now()
    }

    /// The moment, never too early, at which something ends that lives so long from the landing of a request sent now.
    pub(crate) fn expiry_after_arrival(&self, life: Duration) -> Result<Timestamp> {
        Ok(self.now()?.latest + self.operation_timeout + life)
    }

    /// A number that grows with each call, and with the time across servers.
    pub(crate) fn next_sequence_number(&self) -> Result<u64> {
        let now = self.now()?.earliest.as_millis();
        let next = |last: u64| now.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .unwrap_or_else(|last| last);
        Ok(next(last))
    }

    /// Refuses what the table's clock has passed.
    pub(crate) fn check_deadline(&self, operation: Operation, not_after: Timestamp) -> Result<()> {
        if self.now()?.latest >= not_after {
            return Err(signed_out(operation.name));
        }
        Ok(())
    }

    /// Pauses after a race that another won, for a little while that chance decides.
    pub(crate) async fn back_off(&self, operation: Operation) -> Result<()> {
        let pause = backoff(PAUSE / 4, 1);
        if !operation.has_time_after(pause) {
            return Err(timed_out(operation.name));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// A mark that no other write has.
pub(crate) fn random_version() -> Result<[u8; 8]> {
    let mut version = [0; 8];
    getrandom::fill(&mut version).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "draw random bytes").with_source(error.to_string())
    })?;
    Ok(version)
}
