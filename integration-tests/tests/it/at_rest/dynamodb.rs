use std::time::Duration;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use token_cache_core::{Secret, TokenCache};
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore, SweepOptions};
use token_cache_integration_tests::servers::{DynamoDbEngine, Kept, TABLE, dynamodb_client};

use crate::at_rest::{LONGEST_ASSERTION, what_lies_there_opens_nothing};

/// Returns every complete item of the table.
async fn all_of(client: &Client) -> Vec<Vec<u8>> {
    let scanned = client
        .scan()
        .table_name(TABLE)
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    assert!(
        scanned.last_evaluated_key.is_none(),
        "everything is on one page"
    );
    let mut all = Vec::new();
    for item in scanned.items.unwrap_or_default() {
        for (name, value) in item {
            all.push(name.into_bytes());
            flatten(value, &mut all);
        }
    }
    all
}

fn flatten(value: AttributeValue, into: &mut Vec<Vec<u8>>) {
    match value {
        AttributeValue::B(bytes) => into.push(bytes.into_inner()),
        AttributeValue::S(text) | AttributeValue::N(text) => into.push(text.into_bytes()),
        AttributeValue::Bs(several) => into.extend(
            several
                .into_iter()
                .map(aws_sdk_dynamodb::primitives::Blob::into_inner),
        ),
        AttributeValue::Ss(several) => into.extend(several.into_iter().map(String::into_bytes)),
        AttributeValue::L(several) => several.into_iter().for_each(|value| flatten(value, into)),
        AttributeValue::M(map) => {
            for (name, value) in map {
                into.push(name.into_bytes());
                flatten(value, into);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn what_lies_in_a_table_opens_nothing() {
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let client = dynamodb_client(&format!("http://{}", engine.address()));
    let store = DynamoDbStore::existing_client(&client, DynamoDbConfig::new(TABLE))
        .await
        .unwrap();
    let secret = Secret::random().unwrap();
    let cache = TokenCache::builder(store.clone())
        .secret(secret.clone())
        .longest_assertion(LONGEST_ASSERTION)
        .open()
        .await
        .unwrap();
    what_lies_there_opens_nothing(
        &cache,
        &store,
        &secret,
        || all_of(&client),
        async || {
            let swept = store
                .sweep(SweepOptions::every(Duration::from_secs(3600)).read_units(1_000_000))
                .await
                .unwrap();
            assert!(swept.deleted > 0);
        },
    )
    .await;
}
