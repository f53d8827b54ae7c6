//! The constructors that take what an application has already, and with it types of the driver.

use token_cache_core::Result;

use crate::{
    DynamoDbConfig, DynamoDbStore,
    client::{Client, dial},
    table,
};

impl DynamoDbConfig {
    /// The SDK's own client that these settings lead to, for what else an application does there: the SDK's default credentials,
    /// retries and timeouts.
    ///
    /// # Errors
    /// [`Config`](token_cache_core::ErrorKind::Config) for settings that can't be used.
    pub async fn sdk_client(&self) -> Result<aws_sdk_dynamodb::Client> {
        self.check()?;
        Ok(aws_sdk_dynamodb::Client::from_conf(
            dial(self).await.build(),
        ))
    }
}

impl DynamoDbStore {
    /// A store by a client of the application's own: its credentials, Region, endpoint and connections. Retries and timeouts are
    /// this store's. Of `config`, Region and endpoint don't count.
    ///
    /// ```no_run
    /// # async fn open(client: aws_sdk_dynamodb::Client) -> token_cache_core::Result<()> {
    /// use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
    ///
    /// let store = DynamoDbStore::with_client(&client, DynamoDbConfig::new("tokens")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn with_client(
        client: &aws_sdk_dynamodb::Client,
        config: DynamoDbConfig,
    ) -> Result<Self> {
        config.check()?;
        let client = Client::new(client.config().to_builder(), &config);
        Self::over(client, &config).await
    }

    /// [`create_table_if_missing`](Self::create_table_if_missing) by a client of the application's own.
    ///
    /// # Errors
    /// As [`create_table_if_missing`](Self::create_table_if_missing).
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
