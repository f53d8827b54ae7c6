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
    /// Creates the table with on-demand billing and time-to-live, and waits until it is active. Returns `true` if it created the table, and
    /// `false` if a table of this name exists. An existing table is not changed; [`connect`](Self::connect) checks it.
    ///
    /// It is meant for development and tests. In production, an operator creates the table.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
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
