use token_cache_core::{ErrorKind, ReadOptions, SessionId, Timestamp, TokenStore};
use token_cache_integration_tests::servers::{RedisOptions, ReplicatedRedis, SentinelSetup};

use crate::backplane::common::{
    Connected, HASTY, PATIENT, account, eventually, proxied, redis, with,
};

/// A primary that was isolated from its replica, and does not know that the replica was promoted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_lost_its_replica_gives_no_lease() {
    let pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
    eventually("the replica confirms", async || {
        let confirmed = pair.primary().cli(&["WAIT", "1", "100"]).unwrap();
        (confirmed.int() == Some(1)).then_some(())
    })
    .await;
    let url = with(&pair.primary().url(), &format!("{HASTY}&replicas=1"));
    let leased = eventually("a renewal is confirmed", async || {
        let linked = Connected::at(&url).await;
        linked.connection.renew().await.ok().map(|_| linked)
    })
    .await;
    pair.cut_replica_off().unwrap();
    let renewed = leased.connection.renew().await;
    let kind = renewed.unwrap_err().kind();
    assert!(
        matches!(kind, ErrorKind::Unavailable | ErrorKind::TimedOut),
        "{kind:?}"
    );
    leased.is_lost().await;
    // Without `replicas` it grants leases, as it answers reads.
    let plain = Connected::at(&with(&pair.primary().url(), HASTY)).await;
    plain.connection.renew().await.unwrap();
    pair.rejoin().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_the_backplane_leads_to_the_new_primary() {
    let mut setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let sentinels: Vec<_> = setup.sentinels().iter().map(ToString::to_string).collect();
    let url = format!(
        "redis+sentinel://{}/{}?{HASTY}",
        sentinels.join(","),
        SentinelSetup::SERVICE
    );
    let before = Connected::at(&url).await;
    before.connection.renew().await.unwrap();
    setup.servers().wait_until_in_step().unwrap();
    setup.fail_over().unwrap();
    assert!(before.connection.renew().await.is_err());
    before.is_lost().await;
    let after = eventually("a backplane to the new primary", async || {
        let linked = Connected::over(before.store.clone()).await;
        linked.connection.renew().await.ok().map(|_| linked)
    })
    .await;
    let published = after.publishes().await;
    // The registry was replicated: sign-outs wait for the servers that had a lease from the old primary.
    assert_eq!(published.holders.len(), 2);
    assert!(published.registry.is_some());
    let listening = setup.serving().unwrap();
    let told = listening
        .cli(&["PUBSUB", "SHARDNUMSUB", "tc:{l}:a"])
        .unwrap();
    assert_eq!(told.items().unwrap()[1].int(), Some(1));
}

/// While its backplane connection is lost, a server may read from a primary that receives no sign-outs any more. What it reads there is not
/// cached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_cached_is_read_over_the_backplane_or_not_at_all() {
    let redis = redis();
    let proxy = proxied(&redis);
    let leased = Connected::at(&with(&proxy.url(), PATIENT)).await;
    leased.connection.renew().await.unwrap();
    let read = async |options: ReadOptions| {
        let session_id = SessionId::from_bytes([1; 16]);
        let read = leased.store.session(&account(), &session_id, options).await;
        read.unwrap_err().kind()
    };
    let options = ReadOptions::at(Timestamp::from_secs(1));
    assert_eq!(read(options.for_near_cache()).await, ErrorKind::SignedOut);
    proxy.refuse_links(true);
    proxy.cut_links();
    leased.is_lost().await;
    assert_eq!(read(options.for_near_cache()).await, ErrorKind::Unavailable);
    assert_eq!(read(options).await, ErrorKind::SignedOut);
}
