use std::time::Duration;

use redis::{Client as Driver, ErrorKind, RedisResult, Value, aio::MultiplexedConnection};

use super::dial::{Manner, Pushes, open};
use crate::{Address, Sentinel};

/// Finds the primary through the Sentinels, each time anew.
#[derive(Clone)]
pub(super) struct Sentinels {
    ask: Vec<Driver>,
    service: String,
    to_primary: Manner,
}

impl Sentinels {
    pub(super) fn new(
        sentinel: &Sentinel,
        to_sentinels: &Manner,
        to_primary: Manner,
    ) -> RedisResult<Self> {
        let ask: RedisResult<_> = sentinel
            .sentinels
            .iter()
            .map(|address| to_sentinels.node(address))
            .collect();
        Ok(Self {
            ask: ask?,
            service: sentinel.service.clone(),
            to_primary,
        })
    }

    /// Asks one Sentinel after the other, until one names a server that says it is the primary.
    pub(super) async fn dial(
        &self,
        timeout: Duration,
        pushes: Option<Pushes>,
    ) -> RedisResult<MultiplexedConnection> {
        // One that hangs must leave time for the others, and for the primary itself.
        let share = timeout / u32::try_from(self.ask.len() + 1).unwrap_or(u32::MAX);
        let mut failed = unknown_service();
        for sentinel in &self.ask {
            match tokio::time::timeout(share, self.by(sentinel, share, pushes.clone())).await {
                Ok(Ok(primary)) => return Ok(primary),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = std::io::Error::from(std::io::ErrorKind::TimedOut).into(),
            }
        }
        Err(failed)
    }

    async fn by(
        &self,
        sentinel: &Driver,
        timeout: Duration,
        pushes: Option<Pushes>,
    ) -> RedisResult<MultiplexedConnection> {
        let mut asked = open(sentinel, timeout, None).await?;
        let named: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.service)
            .query_async(&mut asked)
            .await?;
        let (host, port) = named.ok_or_else(unknown_service)?;
        let primary = self.to_primary.node(&Address::new(host, port))?;
        let mut primary = open(&primary, timeout, pushes).await?;
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut primary).await?;
        match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok(primary),
            _ => {
                Err(std::io::Error::other("the Sentinels name a server that is no primary").into())
            }
        }
    }
}

fn unknown_service() -> redis::RedisError {
    (
        ErrorKind::MasterNameNotFoundBySentinel,
        "the Sentinels know no such service",
    )
        .into()
}
