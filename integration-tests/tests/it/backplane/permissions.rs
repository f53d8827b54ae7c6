use std::{sync::Arc, time::Duration};

use token_cache_core::{
    Acknowledgement, ErrorKind, InvalidationListener, InvalidationMessage, ServerId,
};
use token_cache_integration_tests::servers::{Client, RedisOptions, RedisServer};

use crate::backplane::common::{Connected, PATIENT, backplane_of, connect};

/// Returns the rules in the documentation of the Redis store. Those for the backplane are the second part.
fn documented() -> (String, String) {
    let docs = include_str!("../../../../redis-backend/src/docs.md");
    let mut rules = docs
        .lines()
        .filter_map(|line| line.strip_prefix("ACL SETUSER app "))
        .map(str::to_owned);
    (rules.next().unwrap(), rules.next().unwrap())
}

#[derive(Debug)]
struct Deaf;

impl InvalidationListener for Deaf {
    fn published(&self, _: &InvalidationMessage) -> Option<Acknowledgement> {
        None
    }

    fn acknowledged(&self, _: &Acknowledgement) {}
}

fn server(rules: &str) -> (RedisServer, String) {
    let redis = RedisServer::start(RedisOptions {
        users: vec![format!("app {rules}")],
        ..RedisOptions::default()
    })
    .unwrap();
    let url = format!("redis://app:password@{}/?{PATIENT}", redis.address());
    (redis, url)
}

/// The documented rule restricts the default user, for whom a new server requires no password.
#[tokio::test]
async fn the_documented_rules_let_no_other_user_in() {
    let (store, _) = documented();
    let (redis, url) = server(&store);
    let rule = include_str!("../../../../redis-backend/src/docs.md")
        .lines()
        .find(|line| line.starts_with("ACL SETUSER default "))
        .unwrap();
    redis.cli(&["SET", "tc:anybody", "may write"]).unwrap();
    redis.cli(&rule.split(' ').collect::<Vec<_>>()).unwrap();
    let refused = redis.cli(&["GET", "tc:anybody"]).unwrap_err().to_string();
    assert!(refused.contains("NOAUTH"), "{refused}");
    connect(&url).await;
}

/// The rules replace those that a user had before.
#[tokio::test]
async fn the_documented_rules_take_back_what_was_given_before() {
    let (store, _) = documented();
    let (redis, url) = server(&format!("on nopass allkeys allchannels +@all {store}"));
    connect(&url).await;
    let mut client = Client::connect(redis.address(), Duration::from_secs(5)).unwrap();
    let refused = client.call(&["AUTH", "app", "another"]).unwrap_err();
    assert!(refused.to_string().contains("WRONGPASS"), "{refused}");
    client.call(&["AUTH", "app", "password"]).unwrap();
    for command in [
        &["FLUSHALL"][..],
        &["GET", "foreign"],
        &["PUBLISH", "x", "y"],
    ] {
        let refused = client.call(command).unwrap_err();
        assert!(refused.to_string().contains("NOPERM"), "{refused}");
    }
}

#[tokio::test]
async fn the_documented_rules_are_enough() {
    let (store, backplane) = documented();
    let (_redis, url) = server(&format!("{store} {backplane}"));
    let (origin, leased) = (Connected::at(&url).await, Connected::at(&url).await);
    leased.connection.renew().await.unwrap();
    let published = origin.publishes().await;
    assert_eq!(published.holders.len(), 1);
    leased.connection.renew().await.unwrap();
    assert!(leased.has_heard(published.id));
    origin.connection.reap(&published.holders).await.unwrap();
    leased.connection.leave().await.unwrap();
    origin.connection.registry().await.unwrap();
}

#[tokio::test]
async fn missing_permissions_are_reported_when_the_backplane_is_opened() {
    let (store, backplane) = documented();
    for missing in backplane.split(' ') {
        let rest: Vec<_> = backplane
            .split(' ')
            .filter(|rule| *rule != missing)
            .collect();
        let (_redis, url) = server(&format!("{store} {}", rest.join(" ")));
        let store = connect(&url).await;
        let id = ServerId::mint().unwrap();
        let error = backplane_of(&store)
            .connect(id, Arc::new(Deaf))
            .await
            .unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Denied,
            "without {missing}: {error}"
        );
        assert!(error.to_string().contains("SSUBSCRIBE"), "{error}");
    }
}
