//! An engine that speaks DynamoDB, in this process.
//!
//! Where it differs from the service as AWS documents it: it never throttles, its eventually consistent reads are never stale, it
//! looks at no credentials and no policy, and its tables and their time-to-live are there at once. What rests on those is not
//! shown by this suite.

use std::{error::Error, net::SocketAddr, thread, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{self, BehaviorVersion, Config, Credentials, Region},
};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use tokio::runtime::Builder;

pub(crate) const TABLE: &str = "token-cache";

/// What a test fails with where there is no engine.
pub(crate) type NoEngine = Box<dyn Error + Send + Sync>;

/// Where it listens. It runs as long as the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
}

impl Engine {
    /// Starts it on a thread and a runtime of its own, and creates the table.
    pub(crate) fn start() -> Result<Self, NoEngine> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let engine = Self {
            address: listener.local_addr()?,
        };
        let database = dynoxide::Database::memory().map_err(|why| why.to_string())?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        thread::spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                dynoxide::server::serve_on(listener, database).await;
            });
        });
        let creating = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (client, config) = (engine.client(), DynamoDbConfig::new(TABLE));
            let creating = DynamoDbStore::create_table_if_missing_with(&client, &config);
            runtime.block_on(creating)?;
            Ok::<_, NoEngine>(())
        });
        creating.join().unwrap()?;
        Ok(engine)
    }

    /// A store in a namespace of the table.
    pub(crate) async fn store(&self, namespace: &str) -> Result<DynamoDbStore, NoEngine> {
        Ok(DynamoDbStore::with_client(&self.client(), config(namespace)).await?)
    }

    /// A client as an application might have it.
    pub(crate) fn client(&self) -> Client {
        Client::from_conf(self.settings().build())
    }

    pub(crate) fn settings(&self) -> config::Builder {
        Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(format!("http://{}", self.address))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
    }
}

/// A namespace of the table; a machine that is busy with other tests may be slow.
pub(crate) fn config(namespace: &str) -> DynamoDbConfig {
    let mut config = DynamoDbConfig::new(TABLE);
    namespace.clone_into(&mut config.prefix);
    config.operation_timeout = Duration::from_secs(10);
    config
}
