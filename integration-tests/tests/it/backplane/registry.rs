use token_cache_core::{CutoffTime, EvictOptions, EvictTarget, Timestamp, TokenStore};

use crate::backplane::common::{Connected, PATIENT, account, redis, with};

const KEY: &str = "tc:{l}:r";

#[tokio::test]
async fn a_registry_that_was_lost_has_another_id() {
    let redis = redis();
    let url = with(&redis.url(), PATIENT);
    let (origin, leased) = (Connected::at(&url).await, Connected::at(&url).await);
    let mut ids = Vec::new();
    for loss in [["DEL", KEY].as_slice(), &["FLUSHALL"]] {
        ids.push(leased.connection.renew().await.unwrap());
        assert_eq!(origin.publishes().await.holders.len(), 1);
        redis.cli(loss).unwrap();
        let published = origin.publishes().await;
        assert_eq!(published.registry, None, "after {loss:?}");
        assert_eq!(published.holders, [], "after {loss:?}");
    }
    ids.push(origin.connection.registry().await.unwrap());
    assert_eq!(leased.connection.renew().await.unwrap(), ids[2]);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[tokio::test]
async fn leases_read_before_the_registry_was_lost_remove_none_after() {
    let redis = redis();
    let url = with(&redis.url(), PATIENT);
    let (origin, leased) = (Connected::at(&url).await, Connected::at(&url).await);
    leased.connection.renew().await.unwrap();
    let seen = origin.publishes().await.holders;
    assert_eq!(seen.len(), 1);
    redis.cli(&["DEL", KEY]).unwrap();
    leased.connection.renew().await.unwrap();
    origin.connection.reap(&seen).await.unwrap();
    assert_eq!(origin.publishes().await.holders.len(), 1);
}

#[tokio::test]
async fn a_registry_differs_from_that_of_another_connection() {
    let redis = redis();
    let url = with(&redis.url(), PATIENT);
    let (linked, leased) = (Connected::at(&url).await, Connected::at(&url).await);
    let registry = leased.connection.renew().await.unwrap();
    let evicted = async |store: &token_cache_redis::RedisStore| {
        let target = EvictTarget::Account(CutoffTime::on_store_clock(Timestamp::from_secs(1)));
        let options = EvictOptions::at(Timestamp::from_secs(1)).published_by(linked.id);
        let evicted = store.evict(&account(), target, options).await.unwrap();
        evicted.published.unwrap()
    };
    assert_eq!(evicted(&linked.store).await.registry, Some(registry));
    // A second store has no backplane connection, so it cannot know whether both use the same server.
    let published = evicted(&leased.store).await;
    assert_eq!(published.registry, None);
    assert_eq!(published.holders.len(), 1);
    leased.connection.renew().await.unwrap();
    assert!(leased.has_heard(published.id));
}

#[tokio::test]
async fn memory_pressure_refuses_no_published_sign_out() {
    let redis = redis();
    let url = with(&redis.url(), PATIENT);
    let linked = Connected::at(&url).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let all = EvictTarget::Account(CutoffTime::on_store_clock(Timestamp::from_secs(1)));
    let options = EvictOptions::at(Timestamp::from_secs(1)).published_by(linked.id);
    for target in [
        all,
        EvictTarget::Session(token_cache_core::SessionId::from_bytes([1; 16])),
    ] {
        let evicted = linked
            .store
            .evict(&account(), target, options)
            .await
            .unwrap();
        assert!(evicted.published.is_some());
    }
}
