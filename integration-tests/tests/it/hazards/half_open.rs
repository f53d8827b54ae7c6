//! Half-open connections, which drop all data and are never closed, as after a firewall has forgotten them. New ones work. On each
//! topology, each kind of connection is replaced after one time-out.

use std::time::{Duration, Instant};

use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed, User},
    history::{Outcome, Rules},
    servers::{Proxy, RedisCluster, RedisOptions, RedisServer, SentinelSetup},
};

use crate::hazards::{
    common::{assert_signed_out, failed, fleet_at, settled, sign_out_account},
    topologies::signed_in,
};

const IMPATIENT: &str = "operation_timeout=500ms&connect_timeout=500ms";

/// Enough time for a replica to confirm on a busy machine.
const CONFIRMED: &str = "replicas=1&operation_timeout=2s&connect_timeout=2s";

/// How long a half-open connection may stay in use: the time-out that detects it, and time for a busy machine.
const REPLACED_WITHIN: Duration = Duration::from_secs(15);

/// Reads, writes and signs out with app servers whose connections are half-open from now on.
fn recovers(fleet: &Fleet, sessions: &[Ticketed], swallow: impl Fn()) {
    let (read, ended) = sessions.split_at(sessions.len() / 2);
    swallow();
    let start = Instant::now();
    for session in read {
        let read = settled(|| fleet.get(0, session).outcome);
        assert!(matches!(read, Outcome::Found { .. }), "{read:?}");
        assert_eq!(settled(|| fleet.put(0, session)), Outcome::Done);
    }
    // Requests that wait for replicas, and others that block, use connections of their own.
    swallow();
    for session in ended {
        assert!(!failed(&settled(|| sign_out_account(fleet, 0, session))));
    }
    let took = start.elapsed();
    assert!(took < REPLACED_WITHIN, "it took {took:?}");
    for session in ended {
        assert_signed_out(fleet, session);
    }
    fleet.assert_kept(Rules::ALL);
}

fn sessions(fleet: &Fleet) -> Vec<Ticketed> {
    (0..12)
        .map(|_| signed_in(fleet, 0, User::new(fleet.account())))
        .collect()
}

fn swallow(proxies: &[Proxy]) {
    let swallowed: usize = proxies.iter().map(Proxy::swallow_open).sum();
    assert!(swallowed > 0, "no connection is open");
}

#[test]
fn at_one_server_they_are_replaced() {
    let redis = RedisServer::start(RedisOptions::default()).unwrap();
    let proxies = [Proxy::start(redis.address()).unwrap()];
    let fleet = fleet_at(&[format!("{}/?{IMPATIENT}", proxies[0].url())]);
    let sessions = sessions(&fleet);
    recovers(&fleet, &sessions, || swallow(&proxies));
}

#[test]
fn at_one_server_with_replicas_the_pooled_ones_are_replaced() {
    let pair = crate::hazards::failover::replicated();
    let proxies = [Proxy::start(pair.primary().address()).unwrap()];
    let fleet = fleet_at(&[format!("{}/?{CONFIRMED}", proxies[0].url())]);
    let sessions = sessions(&fleet);
    recovers(&fleet, &sessions, || swallow(&proxies));
}

#[test]
fn on_a_cluster_they_are_replaced() {
    let cluster = RedisCluster::start(3).unwrap();
    let proxies = cluster.behind_proxies().unwrap();
    let seeds: Vec<String> = proxies
        .iter()
        .map(|proxy| proxy.address().to_string())
        .collect();
    let fleet = fleet_at(&[format!("redis+cluster://{}?{IMPATIENT}", seeds.join(","))]);
    let sessions = sessions(&fleet);
    recovers(&fleet, &sessions, || swallow(&proxies));
}

#[test]
fn on_a_cluster_with_replicas_the_pooled_ones_are_replaced() {
    let cluster = RedisCluster::with_replicas(3).unwrap();
    let proxies = cluster.behind_proxies().unwrap();
    let seeds: Vec<String> = proxies
        .iter()
        .map(|proxy| proxy.address().to_string())
        .collect();
    let seeds = seeds.join(",");
    let fleet = fleet_at(&[format!("redis+cluster://{seeds}?{CONFIRMED}")]);
    let sessions = sessions(&fleet);
    recovers(&fleet, &sessions, || swallow(&proxies));
}

#[test]
fn behind_sentinels_they_are_replaced() {
    let (setup, proxy) = SentinelSetup::behind_proxy(RedisOptions::default()).unwrap();
    let sentinels: Vec<String> = setup.sentinels().iter().map(ToString::to_string).collect();
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    let proxies = [proxy];
    let url = format!("redis+sentinel://{sentinels}/{service}?{CONFIRMED}");
    let fleet = fleet_at(&[url]);
    let sessions = sessions(&fleet);
    recovers(&fleet, &sessions, || swallow(&proxies));
}
