use std::time::Duration;

use token_cache_core::{EntryKey, Error, ErrorKind, Session, TokenStore};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use token_cache_integration_tests::servers::{
    ApiFault, DynamoDbEngine, DynamoDbProxy, Kept, TABLE, WRITES, dynamodb_client,
};

use super::setup::{Wire, account};

const SHORT: Duration = Duration::from_secs(1);

fn key() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// Returns the errors of a read, a write, a removal and a sign-out.
async fn failures(wire: &Wire, session: &Session) -> [(&'static str, Error); 4] {
    let cache = &wire.cache;
    [
        ("BatchGetItem", session.get(&key()).await.unwrap_err()),
        (
            "UpdateItem",
            session.put(&key(), b"x".as_slice()).await.unwrap_err(),
        ),
        ("UpdateItem", session.remove(&key()).await.unwrap_err()),
        (
            "UpdateItem",
            cache.sign_out_account(&account("ada")).await.unwrap_err(),
        ),
    ]
}

#[tokio::test]
async fn throttling_is_throttled_in_time_and_changed_nothing() {
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
    ] {
        let wire = Wire::within(SHORT).await;
        let session = wire.sign_in("ada", None).await;
        session.put(&key(), b"tokens".as_slice()).await.unwrap();
        wire.proxy.always(&[], ApiFault::Code(code));
        for (action, error) in failures(&wire, &session).await {
            assert_eq!(error.kind(), ErrorKind::Throttled, "{action}: {error}");
            assert!(!error.may_have_applied(), "{action}: {error}");
            assert!(error.is_retryable(), "{action}: {error}");
        }
        wire.proxy.calm();
        assert!(session.get(&key()).await.unwrap().is_some());
        // A single occurrence is retried.
        wire.proxy.on_next(&["UpdateItem"], ApiFault::Code(code));
        session.put(&key(), b"more".as_slice()).await.unwrap();
    }
}

#[tokio::test]
async fn a_missing_permission_is_denied_by_its_name_and_not_tried_again() {
    let wire = Wire::patient().await;
    let session = wire.sign_in("ada", None).await;
    wire.proxy
        .always(&[], ApiFault::Code("AccessDeniedException"));
    wire.said();
    for (action, error) in failures(&wire, &session).await {
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        let named = format!("dynamodb:{action}");
        assert!(error.to_string().contains(&named), "{action}: {error}");
        assert!(!error.may_have_applied() && !error.is_retryable());
    }
    let once = ["BatchGetItem", "UpdateItem", "UpdateItem", "UpdateItem"];
    assert_eq!(wire.actions(), once);
}

#[tokio::test]
async fn a_table_that_is_gone_is_a_matter_of_configuration() {
    let wire = Wire::patient().await;
    let session = wire.sign_in("ada", None).await;
    wire.proxy
        .always(&[], ApiFault::Code("ResourceNotFoundException"));
    for (action, error) in failures(&wire, &session).await {
        assert_eq!(error.kind(), ErrorKind::Config, "{action}: {error}");
    }
}

#[tokio::test]
async fn a_missing_table_or_expiry_is_reported_at_connect_with_the_command() {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let client = engine.client();
    let missing = DynamoDbConfig::new("no-such-table");
    let error = DynamoDbStore::existing_client(&client, missing)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(
        error.to_string().contains("aws dynamodb create-table"),
        "{error}"
    );

    let off = aws_sdk_dynamodb::types::TimeToLiveSpecification::builder()
        .enabled(false)
        .attribute_name("exp")
        .build()
        .unwrap();
    client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(off)
        .send()
        .await
        .unwrap();
    let config = DynamoDbConfig::new(TABLE);
    let error = DynamoDbStore::existing_client(&client, config)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(
        error
            .to_string()
            .contains("aws dynamodb update-time-to-live"),
        "{error}"
    );
}

#[tokio::test]
async fn an_entry_that_is_too_large_is_refused_without_a_request() {
    let wire = Wire::patient().await;
    let session = wire.sign_in("ada", None).await;
    wire.said();
    let huge = vec![b'x'; 400 * 1024];
    let error = session.put(&key(), huge).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert_eq!(wire.actions(), [""; 0]);
    session.put(&key(), vec![b'x'; 390 * 1024]).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_of_what_may_not_be_repeated_may_have_applied() {
    let wire = Wire::patient().await;
    let session = wire.sign_in("ada", None).await;
    session.put(&key(), b"tokens".as_slice()).await.unwrap();
    wire.said();
    wire.proxy.on_next(&["UpdateItem"], ApiFault::DropAnswer);
    let error = session.put(&key(), b"more".as_slice()).await.unwrap_err();
    assert!(error.may_have_applied(), "{error}");
    assert_eq!(wire.actions(), ["UpdateItem"]);
    // It was carried out: the engine had answered.
    let read = session.get(&key()).await.unwrap().unwrap();
    assert_eq!(read.bytes().unwrap(), b"more");

    // A sign-out may be repeated, and is repeated.
    wire.said();
    wire.proxy.on_next(&["UpdateItem"], ApiFault::DropAnswer);
    let _ = wire.cache.sign_out_account(&account("ada")).await.unwrap();
    assert!(session.get(&key()).await.unwrap_err().is_signed_out());
}

#[tokio::test]
async fn a_change_without_an_answer_in_time_may_have_applied() {
    let wire = Wire::within(SHORT).await;
    let session = wire.sign_in("ada", None).await;
    wire.proxy.always(WRITES, ApiFault::Slow(2 * SHORT));
    for error in [
        session.put(&key(), b"more".as_slice()).await.unwrap_err(),
        session.remove(&key()).await.unwrap_err(),
        session.sign_out().await.unwrap_err(),
        wire.cache
            .sign_out_account(&account("ada"))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(error.may_have_applied(), "{error}");
    }
    wire.proxy.calm();
    let _ = wire.cache.sign_out_account(&account("ada")).await.unwrap();
    assert!(session.get(&key()).await.unwrap_err().is_signed_out());
}

#[tokio::test]
async fn a_failing_service_is_unavailable_and_tried_again_where_that_is_safe() {
    for status in [500, 503] {
        let wire = Wire::patient().await;
        let session = wire.sign_in("ada", None).await;
        session.put(&key(), b"tokens".as_slice()).await.unwrap();
        wire.proxy
            .on_next(&["BatchGetItem"], ApiFault::Status(status));
        assert!(session.get(&key()).await.unwrap().is_some());
        wire.proxy.always(&[], ApiFault::Status(status));
        for (action, error) in failures(&wire, &session).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{action}: {error}");
            // The outcome of a write is unknown if the service reports a failure. A read has changed nothing.
            assert_eq!(
                error.may_have_applied(),
                action != "BatchGetItem",
                "{action}"
            );
        }
    }
}

#[tokio::test]
async fn unprocessed_keys_are_asked_for_again_and_never_a_miss() {
    let wire = Wire::within(SHORT).await;
    let session = wire.sign_in("ada", None).await;
    session.put(&key(), b"tokens".as_slice()).await.unwrap();
    for count in [1, 2] {
        wire.said();
        wire.proxy
            .on_next(&["BatchGetItem"], ApiFault::Unprocessed(count));
        assert!(session.get(&key()).await.unwrap().is_some());
        assert_eq!(wire.actions(), ["BatchGetItem", "BatchGetItem"]);
    }
    wire.proxy
        .always(&["BatchGetItem"], ApiFault::Unprocessed(2));
    let error = session.get(&key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
}

/// The checks at connect need two permissions that a strict policy may leave out.
#[tokio::test]
async fn checks_that_are_denied_are_diagnostics_and_no_failure() {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let proxy = DynamoDbProxy::start(engine.address()).unwrap();
    proxy.always(
        &["DescribeTable", "DescribeTimeToLive"],
        ApiFault::Code("AccessDeniedException"),
    );
    let client = dynamodb_client(&proxy.endpoint());
    let store = DynamoDbStore::existing_client(&client, DynamoDbConfig::new(TABLE)).await;
    let diagnostics = store.unwrap().diagnostics();
    let ids: Vec<&str> = diagnostics.iter().map(|found| found.id).collect();
    assert_eq!(
        ids,
        [
            "dynamodb_describe_table_denied",
            "dynamodb_describe_time_to_live_denied"
        ]
    );
}
