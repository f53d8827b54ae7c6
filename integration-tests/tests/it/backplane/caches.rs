use std::time::{Duration, SystemTime};

use token_cache::{LogoutMessage, Timestamp, TokenCache, near_cache::NearCacheOutcome};
use token_cache_integration_tests::servers::{
    Proxy, RedisCluster, RedisOptions, RedisServer, SentinelSetup,
};

use crate::backplane::{
    common::{PATIENT, eventually, proxied, redis, with},
    fleet::{
        Fleet, ISSUER, NEAR_CACHE, SID, are_served_from_near_caches, entry, is_served_by_nobody,
        node_of,
    },
};

/// Renewals are so rare that no test meets one by chance.
const LONG_LEASE: &str = "near_cache=60s&lease=4s";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_servers_drop_their_cached_entries() {
    let redis = redis();
    let fleet = Fleet::of(&vec![
        with(&redis.url(), &format!("{PATIENT}&{NEAR_CACHE}"));
        32
    ])
    .await;
    for round in 0..3 {
        let subject = format!("ada {round}");
        let sessions = fleet.signs_in(&subject).await;
        are_served_from_near_caches(&sessions, &[&redis]).await;
        let gone = fleet.signs_out(round, &subject).await;
        is_served_by_nobody(&sessions).await;
        let NearCacheOutcome::Cleared { servers, .. } = gone else {
            panic!("{gone:?}");
        };
        let mut others: Vec<_> = fleet.servers.iter().map(TokenCache::server_id).collect();
        others.remove(round);
        others.sort_unstable();
        assert_eq!(servers, others);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_receives_nothing_is_waited_for_once() {
    let redis = redis();
    let proxy: Proxy = proxied(&redis);
    let parameters = format!("{PATIENT}&{NEAR_CACHE}");
    let urls = [&redis.url(), &redis.url(), &proxy.url()].map(|url| with(url, &parameters));
    let fleet = Fleet::of(&urls).await;
    let sessions = fleet.signs_in("ada").await;
    let later = fleet.signs_in("bob").await;
    are_served_from_near_caches(&sessions, &[&redis]).await;
    proxy.freeze_links();
    proxy.freeze();
    let gone = fleet.signs_out(0, "ada").await;
    let NearCacheOutcome::Cleared { silent, waited, .. } = gone else {
        panic!("{gone:?}");
    };
    assert_eq!(silent, [fleet.servers[2].server_id()]);
    assert!(waited >= Duration::from_millis(500), "{waited:?}");
    // Its lease has run out, so it sends a request to the store, which it cannot reach.
    let read = tokio::time::timeout(Duration::from_millis(300), sessions[2].get(&entry())).await;
    assert!(
        !matches!(read, Ok(Ok(Some(_)))),
        "a near-cache entry was served"
    );
    is_served_by_nobody(&sessions[..2]).await;
    eventually("sign-outs no longer wait for it", async || {
        match fleet.signs_out(0, "bob").await {
            NearCacheOutcome::Cleared { servers, .. } if servers.len() == 1 => Some(()),
            _ => None,
        }
    })
    .await;
    is_served_by_nobody(&later[..2]).await;
    proxy.thaw_links();
    proxy.thaw();
    let read = eventually("it has a lease again", async || {
        match sessions[2].get(&entry()).await {
            Err(error) if error.is_signed_out() => Some(()),
            Ok(Some(_)) => panic!("a near-cache entry was served"),
            _ => None,
        }
    });
    read.await;
}

/// A sign-out by a `sid` alone finds no account in an empty index. Another server still has near-cache entries until it renews its lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_flush_a_sign_out_by_sid_waits_until_no_cached_entry_is_left() {
    let redis = redis();
    let parameters = format!("{PATIENT}&{LONG_LEASE}");
    let fleet = Fleet::of(&vec![with(&redis.url(), &parameters); 2]).await;
    let sessions = fleet.signs_in("ada").await;
    are_served_from_near_caches(&sessions, &[&redis]).await;
    redis.cli(&["FLUSHALL"]).unwrap();
    let message =
        LogoutMessage::new(ISSUER, Timestamp::from_system_time(SystemTime::now())).unwrap();
    let message = message.sid(SID).unwrap();
    let signed_out = fleet.servers[0].sign_out_by(&message).await.unwrap();
    is_served_by_nobody(&sessions).await;
    assert!(!signed_out.ended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_entries_go_through_a_failover_by_sentinels() {
    near_caches_go_through_a_failover_with("&replicas=1").await;
}

/// The sign-out does not wait for a replica. The sign-out and its invalidation message are one step, over the backplane.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_replicas_cached_entries_go_through_a_failover_by_sentinels() {
    near_caches_go_through_a_failover_with("").await;
}

async fn near_caches_go_through_a_failover_with(parameter: &str) {
    let mut setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let sentinels: Vec<_> = setup.sentinels().iter().map(ToString::to_string).collect();
    let parameters = format!("operation_timeout=3s&connect_timeout=3s&{NEAR_CACHE}{parameter}");
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    let url = format!("redis+sentinel://{sentinels}/{service}?{parameters}");
    eventually("the replica confirms", async || {
        let confirmed = setup.primary().cli(&["WAIT", "1", "100"]).unwrap();
        (confirmed.int() == Some(1)).then_some(())
    })
    .await;
    let fleet = Fleet::of(&vec![url; 4]).await;
    let (ended, living) = (fleet.signs_in("ada").await, fleet.signs_in("bob").await);
    let servers = [setup.servers().primary(), setup.servers().replica()];
    are_served_from_near_caches(&ended, &servers).await;
    are_served_from_near_caches(&living, &servers).await;
    setup.fail_over().unwrap();
    fleet.signs_out(1, "ada").await;
    is_served_by_nobody(&ended).await;
    // The backplane connections lead to the new primary, and near caches are populated again.
    let servers = [setup.servers().primary(), setup.servers().replica()];
    are_served_from_near_caches(&living, &servers).await;
    fleet.signs_out(2, "bob").await;
    is_served_by_nobody(&living).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_entries_go_through_a_failover_of_the_backplanes_node() {
    let mut cluster = RedisCluster::with_replicas(3).unwrap();
    let slot = cluster.nodes()[0].cli(&["CLUSTER", "KEYSLOT", "tc:{l}:r"]);
    let slot = usize::try_from(slot.unwrap().int().unwrap()).unwrap();
    let at = node_of(slot, 3);
    let nodes: Vec<_> = cluster
        .nodes()
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    let parameters = format!("operation_timeout=2s&connect_timeout=2s&{NEAR_CACHE}");
    let url = format!("redis+cluster://{}?{parameters}", nodes.join(","));
    let fleet = Fleet::of(&vec![url; 3]).await;
    let (ended, living) = (fleet.signs_in("ada").await, fleet.signs_in("bob").await);
    are_served_from_near_caches(&ended, &all_of(&cluster)).await;
    are_served_from_near_caches(&living, &all_of(&cluster)).await;
    cluster.wait_until_in_step(at).unwrap();
    cluster.nodes_mut()[at].kill9().unwrap();
    eventually("the replica is promoted", async || {
        (cluster.replicas()[at].role()? == "master").then_some(())
    })
    .await;
    fleet.signs_out(1, "ada").await;
    is_served_by_nobody(&ended).await;
    are_served_from_near_caches(&living, &all_of(&cluster)).await;
    fleet.signs_out(2, "bob").await;
    is_served_by_nobody(&living).await;
}

fn all_of(cluster: &RedisCluster) -> Vec<&RedisServer> {
    cluster.nodes().iter().chain(cluster.replicas()).collect()
}
