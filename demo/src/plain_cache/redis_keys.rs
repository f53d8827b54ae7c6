use async_trait::async_trait;
use redis::{AsyncCommands, Client, RedisError, aio::MultiplexedConnection};

use super::Keys;
use crate::{failure::Denied, store_url::PREFIX};

const LIFETIME_SECS: u64 = 10 * 60;

/// `SET`, `GET` and `DEL` on a Redis server.
pub(crate) struct RedisKeys(MultiplexedConnection);

impl RedisKeys {
    pub(crate) async fn connect(url: &str) -> Result<Self, Denied> {
        let client = Client::open(url.split('?').next().unwrap_or(url))?;
        Ok(Self(client.get_multiplexed_async_connection().await?))
    }
}

#[async_trait]
impl Keys for RedisKeys {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn set(&self, key: &str, value: String) -> Result<(), Denied> {
        Ok(self
            .0
            .clone()
            .set_ex(name(key), value, LIFETIME_SECS)
            .await?)
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Denied> {
        Ok(self.0.clone().get(name(key)).await?)
    }

    async fn del(&self, key: &str) -> Result<(), Denied> {
        Ok(self.0.clone().del(name(key)).await?)
    }
}

fn name(key: &str) -> String {
    format!("{PREFIX}-plain:{key}")
}

impl From<RedisError> for Denied {
    fn from(error: RedisError) -> Self {
        Self::Failed(format!("the plain cache on redis: {error}"))
    }
}
