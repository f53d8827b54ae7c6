use token_cache_core::{Secret, TokenCache};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};
use token_cache_redis::{RedisConfig, RedisStore};

use crate::at_rest::{LONGEST_ASSERTION, what_lies_there_opens_nothing};

/// Returns every key and its contents.
async fn all_of(url: &str) -> Vec<Vec<u8>> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut connection)
        .await
        .unwrap();
    let mut all = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE")
            .arg(&key)
            .query_async(&mut connection)
            .await
            .unwrap();
        let read = match kind.as_str() {
            "hash" => redis::cmd("HGETALL").arg(&key).to_owned(),
            "string" => redis::cmd("GET").arg(&key).to_owned(),
            "set" => redis::cmd("SMEMBERS").arg(&key).to_owned(),
            "zset" => redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).to_owned(),
            other => unreachable!("unexpected key type {other}"),
        };
        let value: redis::Value = read.query_async(&mut connection).await.unwrap();
        all.push(key.clone());
        flatten(value, &mut all);
        // The format in which the server itself writes it to a disk or a replica.
        let dumped: Vec<u8> = redis::cmd("DUMP")
            .arg(&key)
            .query_async(&mut connection)
            .await
            .unwrap();
        all.push(dumped);
    }
    all
}

fn flatten(value: redis::Value, into: &mut Vec<Vec<u8>>) {
    match value {
        redis::Value::BulkString(bytes) => into.push(bytes),
        redis::Value::Array(values) | redis::Value::Set(values) => {
            for value in values {
                flatten(value, into);
            }
        }
        redis::Value::Map(pairs) => {
            for (key, value) in pairs {
                flatten(key, into);
                flatten(value, into);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn what_lies_in_a_redis_opens_nothing() {
    let server = RedisServer::start(RedisOptions::default()).unwrap();
    let url = server.url();
    let store = RedisStore::connect(RedisConfig::from_url(&url).unwrap())
        .await
        .unwrap();
    let secret = Secret::random().unwrap();
    let cache = TokenCache::builder(store.clone())
        .secret(secret.clone())
        .longest_assertion(LONGEST_ASSERTION)
        .open()
        .await
        .unwrap();
    what_lies_there_opens_nothing(&cache, &store, &secret, || all_of(&url), async || {}).await;
}
