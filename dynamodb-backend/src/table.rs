use std::time::Duration;

use token_cache_core::Result;

use crate::{
    DynamoDbConfig, DynamoDbStore,
    client::{Client, Operation, load_sdk_config},
};

/// The limit for creating a table.
const CREATION: Duration = Duration::from_mins(1);

const POLL_INTERVAL: Duration = Duration::from_millis(200);

impl DynamoDbStore {
    /// Creates the table of `config` with on-demand billing and time-to-live, and waits until the table is active. Returns `true` if it
    /// created the table, and `false` if a table of this name exists. It fails if the table is not active after a minute.
    ///
    /// It is meant for development and tests, before [`connect`](Self::connect). In production, an operator creates the table. An existing
    /// table is not changed: `connect` checks whether it has the right key and time-to-live.
    ///
    /// # Errors
    /// - [`Config`](token_cache_core::ErrorKind::Config), before any request, if `config` is invalid.
    /// - [`Config`](token_cache_core::ErrorKind::Config) if `config` has no Region and the AWS SDK finds none.
    /// - [`Denied`](token_cache_core::ErrorKind::Denied) if credentials or a permission are missing. It needs `dynamodb:CreateTable`,
    ///   `DescribeTable` and `UpdateTimeToLive`.
    /// - [`Unavailable`](token_cache_core::ErrorKind::Unavailable) or [`TimedOut`](token_cache_core::ErrorKind::TimedOut) if DynamoDB
    ///   cannot be reached, or the table is not active after a minute.
    pub async fn create_table_if_missing(config: &DynamoDbConfig) -> Result<bool> {
        config.check()?;
        Box::pin(create_if_missing(&Client::new(
            Box::pin(load_sdk_config(config)).await,
            config,
        )))
        .await
    }
}

pub(crate) async fn create_if_missing(client: &Client) -> Result<bool> {
    let operation = Operation::within("create the table", CREATION);
    let created = client.create(operation).await?;
    while !client.describe(operation).await?.active {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    if created {
        client.enable_time_to_live(operation).await?;
    }
    Ok(created)
}
