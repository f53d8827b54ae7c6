//! The checks of the table.

use std::time::Duration;

use aws_credential_types::{
    credential_fn::provide_credentials_fn, provider::error::CredentialsError,
};
use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        StreamSpecification, StreamViewType,
    },
};
use token_cache_core::{ErrorKind, TokenStore};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};

use crate::engine::config;
use crate::on_an_engine::engine;

async fn refusal(client: &Client, config: DynamoDbConfig) -> String {
    let error = DynamoDbStore::existing_client(client, config)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error.to_string()
}

/// Creates a table with the key `pk` and a second attribute of this name and type.
async fn create(name: &str, second: &str, kind: ScalarAttributeType, streams: bool) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::KeysOnly)
        .build()
        .unwrap();
    engine()
        .client()
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute(second, kind))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key(second, KeyType::Range))
        .set_stream_specification(streams.then_some(stream))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_missing_table_is_told_with_the_command_that_creates_it() {
    let mut config = config("table-1");
    config.table = "no-such-table".to_owned();
    let told = refusal(&engine().client(), config).await;
    assert!(
        told.contains("aws dynamodb create-table --table-name no-such-table"),
        "{told}"
    );
}

#[tokio::test]
async fn a_table_without_a_time_to_live_is_told_with_the_command_that_turns_it_on() {
    create("without-expiry", "sk", ScalarAttributeType::S, false).await;
    let mut config = config("table-2");
    config.table = "without-expiry".to_owned();
    let told = refusal(&engine().client(), config).await;
    assert!(
        told.contains("aws dynamodb update-time-to-live --table-name without-expiry"),
        "{told}"
    );
}

#[tokio::test]
async fn a_table_with_another_key_is_refused() {
    for (table, second, kind) in [
        ("other-key-1", "sort", ScalarAttributeType::S),
        ("other-key-2", "sk", ScalarAttributeType::N),
    ] {
        create(table, second, kind, false).await;
        let mut config = config("table-3");
        config.table = table.to_owned();
        let told = refusal(&engine().client(), config).await;
        assert!(
            told.contains("`pk` (a string) and `sk` (a string)"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_stream_is_a_diagnostic() {
    create("with-stream", "sk", ScalarAttributeType::S, true).await;
    let mut config = config("table-4");
    config.table = "with-stream".to_owned();
    let told = refusal(&engine().client(), config.clone()).await;
    assert!(told.contains("time-to-live"), "{told}");
    let specification = aws_sdk_dynamodb::types::TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("exp");
    engine()
        .client()
        .update_time_to_live()
        .table_name("with-stream")
        .time_to_live_specification(specification.build().unwrap())
        .send()
        .await
        .unwrap();
    let store = DynamoDbStore::existing_client(&engine().client(), config)
        .await
        .unwrap();
    let ids: Vec<_> = store.diagnostics().iter().map(|found| found.id).collect();
    assert_eq!(ids, ["dynamodb_stream"]);
}

#[tokio::test]
async fn a_table_is_created_once() {
    let mut config = config("table-5");
    config.table = "created-here".to_owned();
    let client = engine().client();
    for created in [true, false] {
        let answer = DynamoDbStore::create_table_if_missing_with(&client, &config).await;
        assert_eq!(answer.unwrap(), created);
    }
    let store = DynamoDbStore::existing_client(&client, config)
        .await
        .unwrap();
    assert_eq!(store.diagnostics(), []);
    assert_eq!(store.namespace().await.unwrap().record, None);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = crate::engine::Engine::at(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let mut config = config("table-6");
    config.operation_timeout = Duration::from_secs(2);
    let error = DynamoDbStore::existing_client(&silent.client(), config)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.is_retryable() && !error.may_have_applied());
    assert!(
        error.to_string().contains("no connection can be opened"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_without_credentials_is_denied_before_any_request() {
    let settings = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_dynamodb::config::Region::new("eu-central-1"))
        .endpoint_url(engine().endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let none = provide_credentials_fn(|| async { Err(CredentialsError::not_loaded("none here")) });
    let late =
        provide_credentials_fn(|| async { Err(CredentialsError::provider_error("is down")) });
    let client = Client::from_conf(settings.clone().credentials_provider(late).build());
    let mut patient = config("table-7");
    patient.operation_timeout = Duration::from_millis(100);
    let error = DynamoDbStore::existing_client(&client, patient)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(!error.may_have_applied());

    for settings in [settings.clone(), settings.credentials_provider(none)] {
        let client = Client::from_conf(settings.build());
        let store = DynamoDbStore::existing_client(&client, config("table-7")).await;
        let error = store.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
        assert!(error.to_string().contains("AWS_PROFILE"), "{error}");
    }
}
