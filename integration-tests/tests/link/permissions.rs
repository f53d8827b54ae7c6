use std::sync::Arc;

use token_cache_core::{Acknowledgement, Announcement, ErrorKind, Listener, ServerId};
use token_cache_integration_tests::servers::{RedisOptions, RedisServer};

use crate::common::{Linked, PATIENT, connect, link_of};

/// The rules in the documentation of the Redis store, those about the link last.
fn documented() -> (String, String) {
    let docs = include_str!("../../../redis-backend/src/docs.md");
    let mut rules = docs
        .lines()
        .filter_map(|line| line.strip_prefix("ACL SETUSER app "))
        .map(str::to_owned);
    (rules.next().unwrap(), rules.next().unwrap())
}

#[derive(Debug)]
struct Deaf;

impl Listener for Deaf {
    fn announced(&self, _: &Announcement) -> Option<Acknowledgement> {
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

#[tokio::test]
async fn the_documented_rules_are_enough() {
    let (store, link) = documented();
    let (_redis, url) = server(&format!("{store} {link}"));
    let (signer, holder) = (Linked::at(&url).await, Linked::at(&url).await);
    holder.connection.renew().await.unwrap();
    let announced = signer.announces().await;
    assert_eq!(announced.holders.len(), 1);
    holder.connection.renew().await.unwrap();
    assert!(holder.has_heard(announced.id));
    signer.connection.reap(&announced.holders).await.unwrap();
    holder.connection.leave().await.unwrap();
    signer.connection.registry().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_told_when_the_link_is_opened() {
    let (store, link) = documented();
    for missing in link.split(' ') {
        let rest: Vec<_> = link.split(' ').filter(|rule| *rule != missing).collect();
        let (_redis, url) = server(&format!("{store} {}", rest.join(" ")));
        let store = connect(&url).await;
        let id = ServerId::mint().unwrap();
        let error = link_of(&store)
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
