use token_cache_core::Result;

use crate::{
    DynamoDbConfig, DynamoDbStore,
    client::{Client, load_sdk_config},
    table,
};

impl DynamoDbConfig {
    /// Creates a client of the AWS SDK with these settings, for the application's own requests to the table.
    ///
    /// The client has the `region`, the `endpoint` and the `connect_timeout` of these settings, and no other timeout. The credentials and
    /// the retries are the defaults of the AWS SDK. No request is sent here, and credentials are not checked: if they are missing, the
    /// requests of the client fail.
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
    /// Opens the store with a client of the AWS SDK that the application already has. The credentials, the Region, the endpoint and the
    /// connections are those of the client.
    ///
    /// The retries and timeouts are those of the store and of `config`, not those of the client. The fields `region` and `endpoint` of
    /// `config` are not used for requests, but an invalid one is an error of kind [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// ```no_run
    /// # async fn open(shared: aws_config::SdkConfig) -> token_cache::Result<()> {
    /// use token_cache::dynamodb::{DynamoDbConfig, DynamoDbStore};
    ///
    /// let client = aws_sdk_dynamodb::Client::new(&shared);
    /// let store = DynamoDbStore::existing_client(&client, DynamoDbConfig::new("tokens")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as those of [`connect`](Self::connect).
    pub async fn existing_client(
        client: &aws_sdk_dynamodb::Client,
        config: DynamoDbConfig,
    ) -> Result<Self> {
        config.check()?;
        let client = Client::new(client.config().to_builder(), &config);
        Self::over(client, &config).await
    }

    /// Creates the table if it is missing, as [`create_table_if_missing`](Self::create_table_if_missing) does, with a client of the AWS SDK
    /// that the application already has. Returns `true` if it created the table, and `false` if a table of this name exists.
    ///
    /// The Region and the endpoint are those of the client. The fields `region` and `endpoint` of `config` are ignored, but an invalid one
    /// is an error of kind [`Config`](token_cache_core::ErrorKind::Config).
    ///
    /// # Errors
    /// The same as those of [`create_table_if_missing`](Self::create_table_if_missing).
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
