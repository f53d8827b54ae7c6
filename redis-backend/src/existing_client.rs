use std::pin::Pin;

use token_cache_core::Result;

use crate::{RedisConfig, RedisStore, client::Client};

impl RedisStore {
    /// Opens the store with a client of the crate `redis` that the application already has. The client knows the address, the credentials
    /// and TLS.
    ///
    /// The store opens its own connections with the client, and opens new ones when they break. It uses the fields `prefix`,
    /// `connect_timeout`, `operation_timeout`, `durability` and `confirm_every_write` of `config`. It ignores the other fields, but they
    /// must be valid.
    ///
    /// The client is one of a single Redis server. For Sentinels and a Cluster use [`connect`](Self::connect).
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// use token_cache_redis::{RedisConfig, RedisStore};
    ///
    /// let client = redis::Client::open("redis://cache.internal/")?;
    /// let store = RedisStore::existing_client(client, &RedisConfig::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub async fn existing_client(client: redis::Client, config: &RedisConfig) -> Result<Self> {
        config.check()?;
        let client = Client::existing(client, config).await?;
        // Boxed: the compiler gives up on futures that are nested too deep.
        let opening: Pin<Box<dyn Future<Output = Result<Self>> + Send + '_>> =
            Box::pin(Self::over(client, config));
        opening.await
    }
}
