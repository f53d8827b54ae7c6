use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use token_cache_integration_tests::servers::{
    Client, REDIS_VARIABLE, RedisOptions, RedisServer, TestCluster, TestRedis,
};

fn address_of(url: &str) -> SocketAddr {
    let host = url.strip_prefix("redis://").expect("a plain URL");
    let host = host.rsplit('@').next().unwrap();
    host.trim_end_matches('/')
        .to_socket_addrs()
        .unwrap()
        .next()
        .unwrap()
}

fn client(url: &str) -> Client {
    Client::connect(address_of(url), Duration::from_secs(5)).unwrap()
}

#[test]
fn a_redis_is_provided() {
    let redis = TestRedis::provide().unwrap();
    // A shared server may require a password. It is running all the same.
    match client(redis.url()).call(&["PING"]) {
        Ok(pong) => assert_eq!(pong.text(), Some("PONG")),
        Err(error) => assert!(error.to_string().starts_with("NOAUTH"), "{error}"),
    }
    assert!(!redis.how().is_empty());
}

#[test]
fn a_cluster_is_provided() {
    let cluster = TestCluster::provide().unwrap();
    assert!(!cluster.urls().is_empty());
    for url in cluster.urls() {
        let info = client(url).call(&["CLUSTER", "INFO"]).unwrap();
        assert!(
            info.text().unwrap().contains("cluster_state:ok"),
            "{url}: {}",
            cluster.how()
        );
    }
}

#[test]
fn the_environment_comes_first_and_is_said() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_servers"))
        .env(REDIS_VARIABLE, redis.url())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!("redis: the server that {REDIS_VARIABLE} names")),
        "{said}"
    );
}

#[test]
fn a_server_program_that_is_not_there_is_an_error_and_never_a_pass() {
    let output = Command::new(env!("CARGO_BIN_EXE_servers"))
        .env(
            "TOKEN_CACHE_REDIS_SERVER",
            Path::new("/no/such/redis-server"),
        )
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("TOKEN_CACHE_REDIS_SERVER does not name a file"),
        "{said}"
    );
}
