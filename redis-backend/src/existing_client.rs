use std::pin::Pin;

use token_cache_core::Result;

use crate::{RedisConfig, RedisStore, client::Client};

impl RedisStore {
    /// Opens the store with a client of the crate `redis` that the application already has. The address, the database, the credentials and
    /// the TLS settings are those of the client. The client must be that of a single Redis server: for Sentinels or a Cluster, use
    /// [`connect`](Self::connect). With the client of a Cluster node, each request whose slot is on another node fails with
    /// [`Unavailable`](token_cache_core::ErrorKind::Unavailable).
    ///
    /// The store opens its own connections with the client, and replaces them when they break. It uses the fields `prefix`,
    /// `connect_timeout`, `operation_timeout`, `durability` and `confirm_every_write` of `config`. It ignores the other fields of `config`,
    /// but an invalid one is an error of kind [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// use token_cache::redis::{RedisConfig, RedisStore};
    ///
    /// let client = redis::Client::open("redis://cache.internal/")?;
    /// let store = RedisStore::existing_client(client, &RedisConfig::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as those of [`connect`](Self::connect).
    pub async fn existing_client(client: redis::Client, config: &RedisConfig) -> Result<Self> {
        config.check()?;
        let client = Client::existing(client, config).await?;
        // Boxed: the compiler gives up on futures that are nested too deep.
        let opening: Pin<Box<dyn Future<Output = Result<Self>> + Send + '_>> =
            Box::pin(Self::over(client, config));
        opening.await
    }
}
