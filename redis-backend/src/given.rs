//! The constructors that take what an application has already, and with it types of the driver.

use std::{pin::Pin, time::Duration};

use redis::aio::MultiplexedConnection;
use token_cache_core::{Result, backend::check_prefix};

use crate::{Durability, RedisConfig, RedisStore, client::Client, config};

impl RedisStore {
    /// A store by a client of the application's own, which knows address, credentials and TLS. Of `config`, the prefix, the
    /// timeouts and the durability count.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_client(client: redis::Client, config: &RedisConfig) -> Result<Self> {
        let client = Client::of_client(
            client,
            config.connect_timeout,
            config.operation_timeout,
            config.durability,
        )
        .await?;
        Self::given(client, config).await
    }

    /// A store on a connection that the application has open. It never comes back once it breaks: keep it for tests and
    /// tools. Waiting for replicas and scans hold up its other requests.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_connection(
        connection: MultiplexedConnection,
        config: &RedisConfig,
    ) -> Result<Self> {
        let client =
            Client::of_connection(connection, config.operation_timeout, config.durability).await?;
        Self::given(client, config).await
    }

    /// A store on the application's pool. Each request takes a connection out, which costs the pool's own round trip.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_pool(pool: deadpool_redis::Pool, config: &RedisConfig) -> Result<Self> {
        let client = Client::of_pool(pool, config.operation_timeout, config.durability);
        Self::given(client, config).await
    }

    async fn given(client: Client, config: &RedisConfig) -> Result<Self> {
        check_prefix(&config.prefix).map_err(config::refused)?;
        if config.durability == Durability::Replicas(0)
            || config.operation_timeout == Duration::ZERO
        {
            config.check()?;
        }
        // In a box: the compiler gives up on futures that are nested too deep.
        let opening: Pin<Box<dyn Future<Output = Result<Self>> + Send + '_>> =
            Box::pin(Self::over(client, config));
        opening.await
    }
}
