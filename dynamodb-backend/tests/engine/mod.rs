//! The engine of these tests: one in this process, or for the conformance suite another one, if it is named.
//!
//! Engines differ from the service as AWS documents it. They never throttle, their eventually consistent reads are never stale, they check
//! neither credentials nor policies, and their tables are active at once. These tests do not show what depends on it.

use std::{env, error::Error, thread, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{self, BehaviorVersion, Config, Credentials, Region},
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use tokio::runtime::Builder;

pub(crate) const TABLE: &str = "token-cache-tests";

/// The error of a test without an engine.
pub(crate) type NoEngine = Box<dyn Error + Send + Sync>;

/// Where it is, `http://…` or `https://…`. One of this process runs as long as the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine {
    pub(crate) endpoint: &'static str,
}

impl Engine {
    /// Starts one on a thread and a runtime of its own, and creates the table.
    pub(crate) fn start() -> Result<Self, NoEngine> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let engine = Self::at(format!("http://{}", listener.local_addr()?));
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
        engine.with_table()
    }

    pub(crate) fn at(endpoint: String) -> Self {
        Self {
            endpoint: endpoint.leak(),
        }
    }

    /// Creates the table if it is missing.
    pub(crate) fn with_table(self) -> Result<Self, NoEngine> {
        let creating = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (client, config) = (self.client(), DynamoDbConfig::new(TABLE));
            let creating = DynamoDbStore::create_table_if_missing_with(&client, &config);
            runtime.block_on(creating)?;
            Ok::<_, NoEngine>(())
        });
        creating.join().unwrap()?;
        Ok(self)
    }

    /// Returns the host and the port of an engine without TLS.
    pub(crate) fn address(&self) -> Option<&'static str> {
        let address = self.endpoint.strip_prefix("http://")?;
        Some(address.trim_end_matches('/'))
    }

    /// Opens a store in a namespace of the table.
    pub(crate) async fn store(&self, namespace: &str) -> Result<DynamoDbStore, NoEngine> {
        Ok(DynamoDbStore::existing_client(&self.client(), config(namespace)).await?)
    }

    /// Returns a client like that of an application.
    pub(crate) fn client(&self) -> Client {
        Client::from_conf(self.settings().build())
    }

    pub(crate) fn settings(&self) -> config::Builder {
        let http = aws_smithy_http_client::Builder::new();
        let http = if self.address().is_some() {
            http.build_http()
        } else {
            http.tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https()
        };
        let set = |name: &str, otherwise: &str| env::var(name).unwrap_or(otherwise.to_owned());
        let credentials = Credentials::new(
            set("AWS_ACCESS_KEY_ID", "test"),
            set("AWS_SECRET_ACCESS_KEY", "test"),
            env::var("AWS_SESSION_TOKEN").ok(),
            None,
            "tests",
        );
        Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(set("AWS_REGION", "eu-central-1")))
            .credentials_provider(credentials)
            .endpoint_url(self.endpoint)
            .http_client(http)
    }
}

/// A namespace of the table; a machine that is busy with other tests may be slow.
pub(crate) fn config(namespace: &str) -> DynamoDbConfig {
    let mut config = DynamoDbConfig::new(TABLE);
    namespace.clone_into(&mut config.prefix);
    config.operation_timeout = Duration::from_secs(10);
    config
}
