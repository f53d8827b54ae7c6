use std::thread;
use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};
use tokio::runtime;
use tokio::time::{Instant, sleep};

use super::client;
use crate::servers::ServerError;

/// The table that tests share; each takes a prefix of its own in it.
pub const TABLE: &str = "token-cache-tests";

/// AWS takes some seconds, an engine none.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Makes the table where it is missing, and waits until it serves. From any thread, in a runtime or not.
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
    let client = client(endpoint);
    let end = Instant::now() + LIMIT;
    loop {
        match client.describe_table().table_name(TABLE).send().await {
            Ok(described) => {
                let status = described.table.and_then(|table| table.table_status);
                if status == Some(TableStatus::Active) {
                    return Ok(());
                }
            }
            Err(error) => {
                let missing = error
                    .as_service_error()
                    .is_some_and(DescribeTableError::is_resource_not_found_exception);
                if missing {
                    create(&client).await?;
                } else if Instant::now() >= end {
                    return Err(failed(endpoint)(error));
                }
            }
        }
        if Instant::now() >= end {
            return Err(ServerError::new(format!(
                "the table {TABLE} at {endpoint} is not there within {LIMIT:?}"
            )));
        }
        sleep(POLL).await;
    }
}

async fn create(client: &aws_sdk_dynamodb::Client) -> Result<(), ServerError> {
    let mut table = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build();
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build();
        let (attribute, key) = attribute
            .and_then(|attribute| Ok((attribute, key?)))
            .map_err(broken_table)?;
        table = table.attribute_definitions(attribute).key_schema(key);
    }
    if let Err(error) = table.send().await {
        // Another test process was faster.
        let made = error
            .as_service_error()
            .is_some_and(CreateTableError::is_resource_in_use_exception);
        if !made {
            return Err(broken_table(DisplayErrorContext(error)));
        }
        return Ok(());
    }
    let expiry = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("exp")
        .build()
        .map_err(broken_table)?;
    let end = Instant::now() + LIMIT;
    loop {
        let updated = client
            .update_time_to_live()
            .table_name(TABLE)
            .time_to_live_specification(expiry.clone())
            .send()
            .await;
        match updated {
            Ok(_) => return Ok(()),
            // AWS refuses while the table is being created.
            Err(_) if Instant::now() < end => sleep(POLL).await,
            Err(error) => return Err(broken_table(DisplayErrorContext(error))),
        }
    }
}

fn broken_table(error: impl std::fmt::Display) -> ServerError {
    ServerError::during("the table for tests")(error)
}

fn failed<E: std::error::Error>(endpoint: &str) -> impl FnOnce(E) -> ServerError {
    let what = format!("no DynamoDB answers at {endpoint}");
    move |error| ServerError::during(what)(DisplayErrorContext(error))
}
