use token_cache_core::Result;

use crate::{
    DynamoDbConfig, DynamoDbStore,
    client::{Client, load_sdk_config},
    table,
};

impl DynamoDbConfig {
    /// Returns a client of the AWS SDK with these settings, for an application's own requests to the table. It has the SDK's default
    /// credentials, retries and timeouts.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) if the settings are invalid.
    pub async fn sdk_client(&self) -> Result<aws_sdk_dynamodb::Client> {
        self.check()?;
        Ok(aws_sdk_dynamodb::Client::from_conf(
            load_sdk_config(self).await.build(),
        ))
    }
}

impl DynamoDbStore {
    /// Opens the store with a client that the application already has: with its credentials, Region, endpoint and connections.
    ///
    /// The store uses its own retries and timeouts in place of the client's. The fields `region` and `endpoint` of `config` are ignored:
    /// the client has its own.
    ///
    /// ```no_run
    /// # async fn open(shared: aws_config::SdkConfig) -> token_cache_core::Result<()> {
    /// use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
    ///
    /// let client = aws_sdk_dynamodb::Client::new(&shared);
    /// let store = DynamoDbStore::existing_client(&client, DynamoDbConfig::new("tokens")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub async fn existing_client(
        client: &aws_sdk_dynamodb::Client,
        config: DynamoDbConfig,
    ) -> Result<Self> {
        config.check()?;
        let client = Client::new(client.config().to_builder(), &config);
        Self::over(client, &config).await
    }

    /// Creates the table if it is missing, as [`create_table_if_missing`](Self::create_table_if_missing) does, with a client that the
    /// application already has. The fields `region` and `endpoint` of `config` are ignored: the client has its own.
    ///
    /// # Errors
    /// Those of [`create_table_if_missing`](Self::create_table_if_missing).
    pub async fn create_table_if_missing_with(
        client: &aws_sdk_dynamodb::Client,
        config: &DynamoDbConfig,
    ) -> Result<bool> {
        config.check()?;
        Box::pin(table::create_if_missing(&Client::new(
            client.config().to_builder(),
            config,
        )))
        .await
    }
}
