//! The errors if a Redis cannot be opened: they say what is wrong, on which server, and how to fix it.

use token_cache_core::{Error, ErrorKind, Secret, TokenStore};
use token_cache_integration_tests::servers::{
    RedisCluster, RedisOptions, RedisServer, ReplicatedRedis, SentinelSetup,
};
use token_cache_redis::{RedisConfig, RedisStore};

use crate::hazards::common::eventually;

async fn refusal(url: &str) -> Error {
    let config = RedisConfig::from_url(url).unwrap();
    match RedisStore::connect(config).await {
        Ok(store) => panic!("{url} opens {store}"),
        Err(error) => error,
    }
}

#[track_caller]
fn assert_says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "no {part:?} in: {error}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_on_every_set_up() {
    let redis = RedisServer::start(RedisOptions {
        requirepass: Some("right".to_owned()),
        ..RedisOptions::default()
    })
    .unwrap();
    let at = redis.address().to_string();
    let wrong = ["the user or the password", &at];
    for credentials in [":wrong@", "app:wrong@", ""] {
        let error = refusal(&format!("redis://{credentials}{at}")).await;
        assert_says(&error, ErrorKind::Denied, &wrong);
    }

    let cluster = RedisCluster::start(3).unwrap();
    let nodes: Vec<String> = cluster
        .nodes()
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    for node in cluster.nodes() {
        node.cli(&["CONFIG", "SET", "requirepass", "right"])
            .unwrap();
    }
    let wrong = ["the user or the password", &nodes[2]];
    for credentials in [":wrong@", "app:wrong@", ""] {
        let error = refusal(&format!("redis+cluster://{credentials}{}", nodes.join(","))).await;
        assert_says(&error, ErrorKind::Denied, &wrong);
    }
    let url = format!("redis+cluster://:right@{}", nodes.join(","));
    RedisStore::connect(RedisConfig::from_url(&url).unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_sentinels_refuse_and_do_not_know_is_named() {
    let setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let sentinels: Vec<String> = setup.sentinels().iter().map(ToString::to_string).collect();
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    let error = refusal(&format!("redis+sentinel://{sentinels}/nobody")).await;
    assert_says(
        &error,
        ErrorKind::Config,
        &["do not monitor this service", "`nobody`"],
    );
    let url =
        format!("redis+sentinel://{sentinels}/{service}?sentinel_username=a&sentinel_password=b");
    let error = refusal(&url).await;
    assert_says(&error, ErrorKind::Denied, &["`sentinel_password`", service]);
}

#[tokio::test]
async fn a_host_without_an_address_is_named() {
    for url in [
        "redis://no-such-host.invalid:6379",
        "redis+cluster://no-such-host.invalid:6379",
        "redis+sentinel://no-such-host.invalid:6379/main",
    ] {
        let error = refusal(&format!("{url}?connect_timeout=10s").replace("379?", "379/?")).await;
        let parts = ["has no address", "no-such-host.invalid:6379"];
        assert_says(&error, ErrorKind::Unavailable, &parts);
    }
}

#[tokio::test]
async fn a_missing_socket_is_named() {
    let error = refusal("redis+unix:///no/such/redis.sock").await;
    let parts = [
        "the socket does not exist",
        "`unixsocket`",
        "/no/such/redis.sock",
    ];
    assert_says(&error, ErrorKind::Unavailable, &parts);
}

#[tokio::test]
async fn a_server_that_takes_no_connections_is_named() {
    let mut redis = RedisServer::start(RedisOptions::default()).unwrap();
    let at = redis.address().to_string();
    redis.kill9().unwrap();
    let error = refusal(&format!("redis://{at}")).await;
    assert_says(&error, ErrorKind::Unavailable, &["refused", &at]);
}

#[tokio::test]
async fn a_replica_is_named() {
    let pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
    let url = pair.replica().url();
    let store = RedisStore::connect(RedisConfig::from_url(&url).unwrap());
    let found = store.await.unwrap().diagnostics();
    assert!(found.iter().any(|found| found.id == "redis_replica"));
    let opening = token_cache::builder(&url)
        .unwrap()
        .secret(Secret::random().unwrap());
    let error = opening.open().await.unwrap_err();
    assert_says(
        &error,
        ErrorKind::Unavailable,
        &["is a replica", "connect to its primary"],
    );
}

#[tokio::test]
async fn one_server_is_no_cluster() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let error = refusal(&format!("redis+cluster://{}", redis.address())).await;
    assert_says(
        &error,
        ErrorKind::Config,
        &["not a node of a cluster", "`redis://`"],
    );
}

#[tokio::test]
async fn a_command_that_the_user_may_not_call_is_named() {
    let all = "on >password ~tc:* +@all";
    for (without, named) in [
        ("evalsha", "evalsha"),
        ("script|load", "script|load"),
        ("hset", "HSET"),
        ("hmget", "HMGET"),
    ] {
        let redis = RedisServer::start(RedisOptions {
            users: vec![format!("app {all} -{without}")],
            ..RedisOptions::default()
        })
        .unwrap();
        let error = refusal(&format!("redis://app:password@{}", redis.address())).await;
        assert_says(&error, ErrorKind::Denied, &[named, "ACL"]);
    }
}

/// A setting that the user may not read is not the same as one that is off.
#[tokio::test]
async fn snapshots_without_a_log_are_found_or_unchecked() {
    use token_cache_integration_tests::servers::AppendFsync;

    let all = "app on >password ~tc:* +@all";
    let (snapshots, unchecked) = (
        Some("redis_snapshots_without_log"),
        Some("redis_persistence_unchecked"),
    );
    for (save, appendonly, without, expected) in [
        (Some("3600 1"), None, "", snapshots),
        (Some("3600 1"), None, " -config", unchecked),
        (Some("3600 1"), None, " -config|get", unchecked),
        (None, None, "", None),
        (None, None, " -config", unchecked),
        (
            Some("3600 1"),
            Some(AppendFsync::EverySecond),
            " -config",
            None,
        ),
    ] {
        let redis = RedisServer::start(RedisOptions {
            save: save.map(str::to_owned),
            appendonly,
            users: vec![format!("{all}{without}")],
            ..RedisOptions::default()
        })
        .unwrap();
        let url = format!("redis://app:password@{}", redis.address());
        let store = RedisStore::connect(RedisConfig::from_url(&url).unwrap());
        let found = store.await.unwrap().diagnostics();
        let ids: Vec<_> = found.iter().map(|found| found.id).collect();
        assert_eq!(ids, Vec::from_iter(expected), "{save:?} {without}");
    }
}

#[tokio::test]
async fn replicas_that_are_asked_for_must_be_there() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let error = refusal(&format!("{}/?replicas=1", redis.url())).await;
    assert_says(&error, ErrorKind::Unavailable, &["0 of 1 replicas"]);
}

#[test]
fn a_primary_that_needs_no_replica_to_write_is_a_diagnostic() {
    let pair = crate::hazards::failover::replicated();
    let url = format!("{}/?replicas=1&operation_timeout=3s", pair.primary().url());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let is_found = || {
        let config = RedisConfig::from_url(&url).unwrap();
        let store = eventually("the store opens", || {
            runtime.block_on(RedisStore::connect(config.clone())).ok()
        });
        let found = store.diagnostics();
        found
            .iter()
            .any(|found| found.id == "redis_min_replicas_missing")
    };
    assert!(is_found());
    let set = ["CONFIG", "SET", "min-replicas-to-write", "1"];
    pair.primary().cli(&set).unwrap();
    assert!(!is_found());
}
