use std::time::Duration;

use token_cache_core::Result;

use crate::{
    DynamoDbConfig, DynamoDbStore,
    client::{Client, Operation, load_sdk_config},
};

/// How long the service may take to create a table.
const CREATION: Duration = Duration::from_mins(1);

const POLL_INTERVAL: Duration = Duration::from_millis(200);

impl DynamoDbStore {
    /// Creates the table, billed on demand and with its time-to-live on, and waits until it serves; `false` where it was there
    /// already, whatever it looks like. For development and tests: in production, the table is an operator's.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
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
