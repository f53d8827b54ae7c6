use std::thread;
use std::time::Duration;

use token_cache::dynamodb::{DynamoDbConfig, DynamoDbStore};
use tokio::runtime;
use tokio::time::{Instant, sleep};

use super::client;
use crate::servers::ServerError;

/// The table that all tests share. Each uses a prefix of its own in it.
pub const TABLE: &str = "token-cache-tests";

/// How long a newly started engine may take to answer.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Creates the table if it does not exist, and waits until it is active. May be called in any thread, with or without a runtime.
pub(super) fn ensure(endpoint: &str) -> Result<(), ServerError> {
    let endpoint = endpoint.to_owned();
    let work = move || {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServerError::during("the table for tests"))?
            .block_on(make(&endpoint))
    };
    thread::spawn(work)
        .join()
        .map_err(|_| ServerError::new("making the table for tests panicked"))?
}

async fn make(endpoint: &str) -> Result<(), ServerError> {
    let (client, config) = (client(endpoint), DynamoDbConfig::new(TABLE));
    let end = Instant::now() + LIMIT;
    loop {
        match DynamoDbStore::create_table_if_missing_with(&client, &config).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() && Instant::now() < end => sleep(POLL).await,
            Err(error) => {
                let what = format!("the table for tests at {endpoint}");
                return Err(ServerError::during(what)(error));
            }
        }
    }
}
