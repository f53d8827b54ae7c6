use token_cache_core::ErrorKind;
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

use crate::backplane::{
    common::{Connected, HASTY, PATIENT, eventually, proxied, redis, with},
    relay::Relay,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backplane_on_which_nothing_comes_back_is_lost() {
    let redis = redis();
    let proxy = proxied(&redis);
    let leased = Connected::at(&with(&proxy.url(), HASTY)).await;
    leased.connection.renew().await.unwrap();
    proxy.freeze_links();
    let renewed = leased.connection.renew().await;
    assert_eq!(renewed.unwrap_err().kind(), ErrorKind::TimedOut);
    leased.is_lost().await;
    let renewed = leased.connection.renew().await;
    assert_eq!(renewed.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_reads_too_slowly_loses_its_backplane() {
    let limit = ("client-output-buffer-limit", "pubsub 1mb 512kb 1");
    let redis = RedisServer::start(RedisOptions {
        extra: vec![(limit.0.to_owned(), limit.1.to_owned())],
        ..RedisOptions::default()
    })
    .unwrap();
    let relay = Relay::to(redis.address()).await;
    let url = format!("redis://{}", relay.address);
    let slow = Connected::at(&with(&url, PATIENT)).await;
    let origin = Connected::at(&with(&redis.url(), PATIENT)).await;
    slow.connection.renew().await.unwrap();
    relay.stall(true);
    // The origin can receive messages of this size in time.
    let flood = vec![7; 1 << 16];
    let gone = async || {
        let hears = redis
            .cli(&[b"SPUBLISH".as_slice(), b"tc:{l}:a", &flood])
            .unwrap();
        // One subscription is the origin's own, and the other that of the slow server.
        (hears.int() == Some(1)).then_some(())
    };
    eventually("the server closes the connection of the slow one", gone).await;
    relay.stall(false);
    slow.is_lost().await;
    origin.connection.renew().await.unwrap();
}

#[tokio::test]
async fn a_dropped_connection_is_closed_and_listens_no_more() {
    let redis = redis();
    let url = with(&redis.url(), PATIENT);
    let (stays, goes) = (Connected::at(&url).await, Connected::at(&url).await);
    goes.connection.renew().await.unwrap();
    let listening = async |expected: i64| {
        let told = redis.cli(&["PUBSUB", "SHARDNUMSUB", "tc:{l}:a"]).unwrap();
        let count = told.items().and_then(|items| items[1].int());
        (count == Some(expected)).then_some(())
    };
    eventually("two servers listen", async || listening(2).await).await;
    drop(goes);
    eventually("one server listens", async || listening(1).await).await;
    // It did not give its lease up, so that is in the registry until it is reaped.
    assert_eq!(stays.publishes().await.holders.len(), 1);
}

#[tokio::test]
async fn a_server_that_is_no_primary_any_more_renews_nothing() {
    let (redis, other) = (redis(), redis());
    let leased = Connected::at(&with(&redis.url(), PATIENT)).await;
    leased.connection.renew().await.unwrap();
    let port = other.port().to_string();
    redis.cli(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let renewed = leased.connection.renew().await;
    assert_eq!(renewed.unwrap_err().kind(), ErrorKind::Unavailable);
    leased.is_lost().await;
}
