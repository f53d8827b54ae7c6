//! A cache prints, logs, counts and sends to a store no user data and no secret (G5).
//!
//! The whole story runs with every log level on, over a real Redis that is monitored by `MONITOR`, over DynamoDB, and over a memory store
//! that records every request. Then all output is searched for text that must not be in it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod canaries;
mod journal;
mod logs;
mod monitor;
mod story;

use token_cache::MemoryStore;
use token_cache_dynamodb::{DynamoDbConfig, DynamoDbStore};
use token_cache_integration_tests::servers::{
    DynamoDbEngine, Kept, RedisOptions, RedisServer, TABLE, dynamodb_client,
};

use self::{canaries::Canaries, journal::Journal, logs::Logs, monitor::Monitor, story::Story};

const PASSWORD: &str = "canary-password-of-the-store";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_on_redis() {
    let logs = Logs::all();
    let redis = RedisServer::start(RedisOptions {
        requirepass: Some(PASSWORD.to_owned()),
        ..RedisOptions::default()
    })
    .unwrap();
    let monitor = Monitor::of(redis.port(), PASSWORD);
    let mut story = Story::begin();
    story
        .tell(token_cache::open_store(&redis.url()).await.unwrap())
        .await;
    let watched = monitor.end(redis.port(), PASSWORD);
    assert!(
        watched.contains("HMGET"),
        "`MONITOR` did not see the whole story: {watched}"
    );
    story.canaries.search("the commands to Redis", &watched);
    story.canaries.search("the printed output", &story.printed);
    story.canaries.search("the metrics", &story.figures);
    story.canaries.search("the log", &logs.text());
    logs.were_kept();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_on_dynamodb() {
    let logs = Logs::all();
    let engine = DynamoDbEngine::start(Kept::InMemory).unwrap();
    let client = dynamodb_client(&engine.endpoint());
    let mut story = Story::begin();
    let table = DynamoDbStore::existing_client(&client, DynamoDbConfig::new(TABLE));
    story.tell(table.await.unwrap()).await;
    story.canaries.search("the printed output", &story.printed);
    story.canaries.search("the log", &logs.text());
    logs.were_kept();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_into_a_store() {
    let journal = Journal::new(MemoryStore::new());
    let mut story = Story::begin();
    story.tell(journal.clone()).await;
    let written = journal.text();
    assert!(written.len() > 1_000, "{written}");
    story.canaries.search("the memory store's input", &written);
}

#[test]
fn a_search_finds_what_is_there() {
    let mut canaries = Canaries::default();
    canaries.add("a token", "canary-token");
    for text in [
        "canary-token",
        "Y2FuYXJ5LXRva2Vu",
        "63616e6172792d746f6b656e",
        "canary\\x2dtoken",
    ] {
        assert!(canaries.found_in(text).is_some(), "{text}");
    }
    assert!(canaries.found_in("text without a canary").is_none());
}
