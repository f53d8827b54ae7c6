use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use token_cache_integration_tests::servers::{
    ApiFault, DynamoDbEngine, DynamoDbProxy, Kept, TABLE, WRITES, dynamodb_client,
};

use super::dynamodb::{get, key, put};

/// Starts an engine and a proxy in front of it, and returns them with a client that does not retry.
fn behind_proxy() -> (DynamoDbEngine, DynamoDbProxy, Client) {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let proxy = DynamoDbProxy::start(engine.address()).unwrap();
    let patient = dynamodb_client(&proxy.endpoint());
    let config = patient.config().to_builder();
    let client = Client::from_conf(config.retry_config(RetryConfig::disabled()).build());
    (engine, proxy, client)
}

fn putting(
    client: &Client,
    pk: &str,
) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
    client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(key(pk)))
        .condition_expression("attribute_not_exists(pk)")
}

#[tokio::test]
async fn every_request_is_known_by_its_action_and_words() {
    let (_engine, proxy, client) = behind_proxy();
    proxy.observe();
    put(&client, "key", "value").await;
    assert_eq!(get(&client, "key").await.as_deref(), Some("value"));
    let keys = KeysAndAttributes::builder().keys(key("key")).build();
    client
        .batch_get_item()
        .request_items(TABLE, keys.unwrap())
        .return_consumed_capacity(aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total)
        .send()
        .await
        .unwrap();
    let calls = proxy.observed();
    let seen: Vec<_> = calls
        .iter()
        .map(|call| (call.action.as_str(), call.is_consistent(), call.status))
        .collect();
    assert_eq!(
        seen,
        [
            ("PutItem", None, Some(200)),
            ("GetItem", Some(true), Some(200)),
            // The request did not ask for consistency, which the proxy reports.
            ("BatchGetItem", Some(false), Some(200)),
        ]
    );
    assert_eq!(calls[0].asked["TableName"], TABLE);
    assert_eq!(calls[2].capacity(), Some(0.5));
    assert_eq!(proxy.requests(), 3);
    assert_eq!(proxy.requests_of("PutItem"), 1);
    assert_eq!(proxy.actions(), ["BatchGetItem", "GetItem", "PutItem"]);
    assert!(proxy.observed().is_empty());
}

#[tokio::test]
async fn codes_and_statuses_never_reach_the_engine() {
    let (_engine, proxy, client) = behind_proxy();
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ] {
        proxy.on_next(&["PutItem"], ApiFault::Code(code));
        let refused = putting(&client, code).send().await.unwrap_err();
        assert_eq!(refused.code(), Some(code));
        if code == "AccessDeniedException" {
            assert!(refused.message().unwrap().contains("dynamodb:PutItem"));
        }
        assert_eq!(get(&client, code).await, None);
        putting(&client, code).send().await.unwrap();
    }
    for status in [500, 503] {
        proxy.on_next(WRITES, ApiFault::Status(status));
        let refused = putting(&client, &status.to_string()).send().await;
        let raw = refused
            .unwrap_err()
            .raw_response()
            .unwrap()
            .status()
            .as_u16();
        assert_eq!(raw, status);
        putting(&client, &status.to_string()).send().await.unwrap();
    }
    assert_eq!(proxy.faults(), 7);
}

#[tokio::test]
async fn a_standing_rule_meets_every_request_of_its_actions_until_it_is_ended() {
    let (_engine, proxy, client) = behind_proxy();
    proxy.always(&["PutItem"], ApiFault::Code("ThrottlingException"));
    for _ in 0..3 {
        assert!(putting(&client, "key").send().await.is_err());
        assert_eq!(get(&client, "key").await, None);
    }
    proxy.calm();
    putting(&client, "key").send().await.unwrap();
    assert_eq!(proxy.faults(), 3);
    // The SDK retries a throttled request by itself.
    let patient = dynamodb_client(&proxy.endpoint());
    proxy.on_next(&[], ApiFault::Code("ThrottlingException"));
    putting(&patient, "other").send().await.unwrap();
}

#[tokio::test]
async fn unprocessed_keys_are_left_out_and_named() {
    let (_engine, proxy, client) = behind_proxy();
    for pk in ["one", "two", "three"] {
        put(&client, pk, pk).await;
    }
    let reading = |count: usize| {
        proxy.on_next(&["BatchGetItem"], ApiFault::Unprocessed(count));
        let keys = ["one", "two", "three"].map(key).to_vec();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build();
        client
            .batch_get_item()
            .request_items(TABLE, keys.unwrap())
            .send()
    };
    for count in 1..=3 {
        let got = reading(count).await.unwrap();
        let found = got.responses().and_then(|found| found.get(TABLE));
        assert_eq!(found.map_or(0, Vec::len), 3 - count);
        let left = &got.unprocessed_keys().unwrap()[TABLE];
        assert_eq!(left.keys().len(), count);
        assert_eq!(left.keys()[count - 1], key("three"));
        assert_eq!(left.consistent_read(), Some(true));
    }
    assert_eq!(proxy.faults(), 3);
    // It does not apply to a request that is no batch, and remains for the next one that is.
    proxy.on_next(&[], ApiFault::Unprocessed(1));
    assert_eq!(get(&client, "one").await.as_deref(), Some("one"));
    assert_eq!(proxy.faults(), 3);
}

#[tokio::test]
async fn a_lost_answer_is_applied_and_a_cut_request_is_not() {
    let (engine, proxy, client) = behind_proxy();
    for (pk, fault, applied) in [
        ("lost", ApiFault::DropAnswer, true),
        ("cut", ApiFault::CutRequest, false),
    ] {
        proxy.on_next(&["PutItem"], fault);
        let failed = putting(&client, pk).item("v", AttributeValue::S("x".into()));
        let failed = failed.send().await.unwrap_err();
        assert!(matches!(failed, SdkError::DispatchFailure(_)), "{failed:?}");
        let again = putting(&engine.client(), pk).send().await;
        assert_eq!(again.is_err(), applied, "{pk}");
    }
}

#[tokio::test]
async fn a_request_sent_twice_answers_as_the_second() {
    let (_engine, proxy, client) = behind_proxy();
    proxy.on_next(&["PutItem"], ApiFault::Twice);
    let refused = putting(&client, "key").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ConditionalCheckFailedException"));
}

#[tokio::test]
async fn a_duplicate_is_applied_when_it_is_delivered() {
    let (_engine, proxy, client) = behind_proxy();
    proxy.on_next(&["PutItem"], ApiFault::Duplicate);
    put(&client, "key", "first").await;
    put(&client, "key", "second").await;
    assert_eq!(get(&client, "key").await.as_deref(), Some("second"));
    assert_eq!(proxy.deliver_duplicates().unwrap(), [200]);
    assert_eq!(get(&client, "key").await.as_deref(), Some("first"));
    assert!(proxy.deliver_duplicates().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn held_back_requests_pass_later_also_those_of_a_client_that_is_gone() {
    let (_engine, proxy, client) = behind_proxy();
    proxy.hold(&["PutItem"]);
    let asked = tokio::spawn({
        let client = client.clone();
        async move { put(&client, "key", "late").await }
    });
    proxy.wait_until_holding().unwrap();
    assert_eq!(get(&client, "key").await, None);
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    proxy.thaw();
    let start = Instant::now();
    while get(&client, "key").await.is_none() {
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn cut_refused_and_delayed() {
    let (_engine, proxy, client) = behind_proxy();
    put(&client, "key", "value").await;
    proxy.cut();
    proxy.refuse(true);
    assert!(putting(&client, "other").send().await.is_err());
    proxy.refuse(false);
    let delay = Duration::from_millis(50);
    proxy.delay(delay);
    let start = Instant::now();
    assert_eq!(get(&client, "key").await.as_deref(), Some("value"));
    assert!(start.elapsed() >= delay);
    proxy.delay(Duration::ZERO);
    proxy.on_next(&["GetItem"], ApiFault::Slow(delay));
    let start = Instant::now();
    assert_eq!(get(&client, "key").await.as_deref(), Some("value"));
    assert!(start.elapsed() >= delay);
}
