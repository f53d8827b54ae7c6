use std::collections::HashMap;
use std::process::Command;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TimeToLiveStatus};
use token_cache_integration_tests::servers::{
    DYNAMODB_VARIABLE, DynamoDbEngine, ENGINE_VARIABLE, Kept, TABLE, TestDynamoDb, dynamodb_client,
};

pub(crate) fn key(pk: &str) -> HashMap<String, AttributeValue> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("#"))])
}

pub(crate) async fn put(client: &Client, pk: &str, value: &str) {
    client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(key(pk)))
        .item("v", AttributeValue::B(Blob::new(value)))
        .send()
        .await
        .unwrap();
}

pub(crate) async fn get(client: &Client, pk: &str) -> Option<String> {
    let got = client
        .get_item()
        .table_name(TABLE)
        .set_key(Some(key(pk)))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let value = got.item?.remove("v")?;
    let bytes = value.as_b().unwrap().as_ref().to_vec();
    Some(String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn a_dynamodb_is_provided_with_its_table() {
    let dynamodb = TestDynamoDb::provide().unwrap();
    let client = dynamodb_client(dynamodb.endpoint());
    let described = client.describe_table().table_name(TABLE).send().await;
    let table = described.unwrap().table.unwrap();
    let names: Vec<&str> = table
        .key_schema()
        .iter()
        .map(aws_sdk_dynamodb::types::KeySchemaElement::attribute_name)
        .collect();
    assert_eq!(names, ["pk", "sk"]);
    let expiry = client
        .describe_time_to_live()
        .table_name(TABLE)
        .send()
        .await;
    let expiry = expiry.unwrap().time_to_live_description.unwrap();
    assert_eq!(expiry.attribute_name(), Some("exp"));
    let on = [TimeToLiveStatus::Enabled, TimeToLiveStatus::Enabling];
    assert!(on.contains(expiry.time_to_live_status().unwrap()));
    assert!(dynamodb.url().starts_with("dynamodb://"));
    // The second time, the table exists already.
    assert!(!TestDynamoDb::provide().unwrap().how().is_empty());
}

#[tokio::test]
async fn in_memory_a_killed_engine_has_lost_everything_and_serves_again() {
    let mut engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    put(&engine.client(), "key", "value").await;
    assert_eq!(get(&engine.client(), "key").await.as_deref(), Some("value"));
    engine.kill9().unwrap();
    engine.restart().unwrap();
    assert_eq!(get(&engine.client(), "key").await, None);
}

#[tokio::test]
async fn in_a_file_a_killed_engine_has_all_that_it_acknowledged() {
    let mut engine = DynamoDbEngine::start(Kept::InFile).unwrap();
    for round in 0..3 {
        let client = engine.client();
        for at in 0..20 {
            put(&client, &format!("{round}-{at}"), "value").await;
        }
        engine.kill9().unwrap();
        engine.restart().unwrap();
        let client = engine.client();
        for at in 0..20 {
            let found = get(&client, &format!("{round}-{at}")).await;
            assert_eq!(found.as_deref(), Some("value"), "{round}-{at}");
        }
    }
}

#[tokio::test]
async fn a_paused_engine_answers_when_it_goes_on() {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let client = engine.client();
    put(&client, "key", "before").await;
    engine.pause().unwrap();
    let asked = tokio::spawn({
        let client = client.clone();
        async move { get(&client, "key").await }
    });
    // The engine does not answer meanwhile, so a short time-out expires.
    let hasty = client
        .get_item()
        .table_name(TABLE)
        .set_key(Some(key("key")))
        .customize()
        .config_override(
            aws_sdk_dynamodb::config::Config::builder().timeout_config(
                aws_sdk_dynamodb::config::timeout::TimeoutConfig::builder()
                    .operation_timeout(std::time::Duration::from_millis(100))
                    .build(),
            ),
        )
        .send()
        .await;
    assert!(hasty.is_err());
    assert!(!asked.is_finished());
    engine.resume().unwrap();
    assert_eq!(asked.await.unwrap().as_deref(), Some("before"));
}

/// A batch read returns each item exactly once.
#[tokio::test]
async fn a_batch_read_finds_each_of_its_keys() {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let client = engine.client();
    put(&client, "one", "1").await;
    put(&client, "two", "2").await;
    let keys = KeysAndAttributes::builder()
        .keys(key("one"))
        .keys(key("none"))
        .keys(key("two"))
        .consistent_read(true)
        .build()
        .unwrap();
    let got = client
        .batch_get_item()
        .request_items(TABLE, keys)
        .send()
        .await
        .map_err(|error| DisplayErrorContext(error).to_string())
        .unwrap();
    assert_eq!(got.responses.unwrap()[TABLE].len(), 2);
    assert!(got.unprocessed_keys.unwrap().is_empty());
}

#[test]
fn the_environment_names_the_endpoint_and_it_is_said() {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_servers"))
        .arg("--hold-dynamodb")
        .env(DYNAMODB_VARIABLE, engine.endpoint())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let expected = format!("dynamodb: the endpoint that {DYNAMODB_VARIABLE} names");
    assert!(said.contains(&expected), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.trim().ends_with(&engine.endpoint()), "{printed}");
}

#[test]
fn an_engine_that_is_not_there_is_an_error_and_never_a_pass() {
    let output = Command::new(env!("CARGO_BIN_EXE_servers"))
        .arg("--hold-dynamodb")
        .env_remove(DYNAMODB_VARIABLE)
        .env("DOCKER_HOST", "unix:///no/such/socket")
        .env(ENGINE_VARIABLE, "/no/such/engine")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(ENGINE_VARIABLE), "{said}");
}

#[test]
fn an_engine_ends_with_its_standard_input() {
    let output = Command::new(env!("CARGO_BIN_EXE_dynamodb_engine"))
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    // It may end before it has printed. If it prints something, that is an endpoint.
    assert!(printed.is_empty() || printed.starts_with("http://127.0.0.1:"));
}
