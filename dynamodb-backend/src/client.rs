//! Requests to DynamoDB, with retries. Only this module and its children use the AWS SDK.

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

/// The pause after a conflict, and before a second attempt.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether a request may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// Changes nothing.
    Read,
    /// Has the same effect twice as once, even if the first copy arrives late.
    Idempotent,
    /// Is sent again only if the service certainly did not apply it.
    NonIdempotent,
}

/// The attributes that an update returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReturnValues {
    Nothing,
    /// The old values of the updated attributes.
    Old,
    /// The whole item after the update.
    New,
}

/// A write whose condition did not hold, with the existing item if it was requested.
pub(crate) struct ConditionNotMet {
    pub(crate) existing: Option<Item>,
}

/// A running operation: its name in errors, and its deadline.
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

    /// Returns whether there is time for a pause, another attempt and its response.
    ///
    /// An attempt that is cut off leaves it open whether it was applied. The refusal before it said that nothing was.
    fn has_time_after(&self, pause: Duration) -> bool {
        Instant::now() + pause < self.last_retry
    }
}

/// A client for one table.
#[derive(Clone)]
pub(crate) struct Client {
    sdk: aws_sdk_dynamodb::Client,
    table: String,
    operation_timeout: Duration,
    clock: Arc<Clock>,
    last: Arc<AtomicU64>,
}

impl Client {
    /// Returns a client with the credentials, the connections and the endpoint of `config`, and with this store's retries and timeouts.
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

    /// Returns the time of the table's clock.
    pub(crate) fn now(&self) -> Result<ClockInterval> {
        self.clock.now()
    }

    /// Returns the latest expiry of an item that lives for `life` from the arrival of a request sent now.
    pub(crate) fn expiry_after_arrival(&self, life: Duration) -> Result<Timestamp> {
        Ok(self.now()?.latest + self.operation_timeout + life)
    }

    /// Returns a number that increases with each call, and with time across servers.
    pub(crate) fn next_sequence_number(&self) -> Result<u64> {
        let now = self.now()?.earliest.as_millis();
        let next = |last: u64| now.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .unwrap_or_else(|last| last);
        Ok(next(last))
    }

    /// Refuses a sign-in if the table's clock may have passed `not_after`.
    pub(crate) fn check_deadline(&self, operation: Operation, not_after: Timestamp) -> Result<()> {
        if self.now()?.latest >= not_after {
            return Err(signed_out(operation.name));
        }
        Ok(())
    }

    /// Pauses for a short random time after a conflict.
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

/// Returns a random version, which no other write has.
pub(crate) fn random_version() -> Result<[u8; 8]> {
    let mut version = [0; 8];
    getrandom::fill(&mut version).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "generate random bytes").with_source(error.to_string())
    })?;
    Ok(version)
}
