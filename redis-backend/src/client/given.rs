use std::time::Duration;

use redis::aio::MultiplexedConnection;
use token_cache_core::Result;

use super::{Client, Dialer, Pool, Source};
use crate::{Durability, error::from_driver};

/// What an application has already: see the constructors of [`RedisStore`](crate::RedisStore).
impl Client {
    pub(crate) async fn of_client(
        client: redis::Client,
        connect_timeout: Duration,
        operation_timeout: Duration,
        durability: Durability,
    ) -> Result<Self> {
        let dialer = Dialer::of_client(client, connect_timeout);
        Self::dialing(dialer, operation_timeout, durability)
            .await
            .map_err(|error| from_driver("connect", error))
    }

    pub(crate) async fn of_connection(
        connection: MultiplexedConnection,
        operation_timeout: Duration,
        durability: Durability,
    ) -> Result<Self> {
        let dialer = Dialer::of_connection(connection);
        Self::dialing(dialer, operation_timeout, durability)
            .await
            .map_err(|error| from_driver("connect", error))
    }

    pub(crate) fn of_pool(
        pool: deadpool_redis::Pool,
        operation_timeout: Duration,
        durability: Durability,
    ) -> Self {
        Self {
            source: Source::Pool(Pool::given(pool)),
            operation_timeout,
            durability,
        }
    }
}
