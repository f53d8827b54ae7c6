use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed},
    history::Rules,
    servers::{AppendFsync, RedisCluster, RedisOptions, RedisServer, SentinelSetup},
};

use crate::near_cache::common::{
    NEAR_CACHE, OnLines, assert_copied, assert_kept, assert_signed_out, program, reads, settled,
    sign_out, signed_in, signing_out, waited_for,
};

const SERVERS: usize = 3;

fn persistent() -> RedisOptions {
    RedisOptions {
        appendonly: Some(AppendFsync::Always),
        ..RedisOptions::default()
    }
}

#[test]
fn a_store_that_is_killed_and_restarted_lets_no_cached_entry_outlive_a_sign_out() {
    let mut servers = OnLines::on(persistent(), &[NEAR_CACHE; SERVERS]);
    for _ in 0..2 {
        let session = servers.cached_at(&[0, 1, 2]);
        servers.redis.kill9().unwrap();
        let overtaken = servers.fleet.begin(1, signing_out(&session));
        servers.redis.restart().unwrap();
        let early = sign_out(&servers.fleet, 0, &session);
        waited_for(&early);
        assert_signed_out(&servers.fleet, &session);
        overtaken.wait();
    }
    assert_kept(&servers.fleet, Rules::ALL);
}

#[test]
fn an_emptied_store_leaves_no_cached_entry_that_a_sign_out_does_not_reach() {
    let servers = OnLines::start(&[NEAR_CACHE; SERVERS]);
    let session = servers.cached_at(&[0, 1, 2]);
    // The registry is empty, and every server has a lease.
    servers.redis.cli(&["FLUSHALL"]).unwrap();
    sign_out(&servers.fleet, 0, &session);
    assert_signed_out(&servers.fleet, &session);
    let session = servers.cached_at(&[0, 1, 2]);
    sign_out(&servers.fleet, 1, &session);
    assert_signed_out(&servers.fleet, &session);
    assert_kept(&servers.fleet, Rules::LOSING);
}

#[test]
fn a_failover_by_sentinels_lets_no_cached_entry_outlive_a_sign_out() {
    let mut setup = SentinelSetup::start(persistent()).unwrap();
    let sentinels: Vec<String> = setup.sentinels().iter().map(ToString::to_string).collect();
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    let url = format!("redis+sentinel://{sentinels}/{service}?replicas=1&{NEAR_CACHE}");
    let fleet = Fleet::start(program(), &vec![url; SERVERS]).unwrap();
    for round in 0..2 {
        let sessions = [signed_in(&fleet, 0), signed_in(&fleet, 1)];
        for session in &sessions {
            cached_everywhere(&fleet, session, || {
                let servers = setup.servers();
                [servers.primary(), servers.replica()]
                    .map(reads)
                    .iter()
                    .sum()
            });
        }
        let overtaken = fleet.begin(1, signing_out(&sessions[0]));
        setup.fail_over().unwrap();
        for session in &sessions {
            sign_out(&fleet, round, session);
            assert_signed_out(&fleet, session);
        }
        overtaken.wait();
    }
    assert_kept(&fleet, Rules::LOSING);
}

#[test]
fn on_a_cluster_no_cached_entry_outlives_a_sign_out() {
    let cluster = RedisCluster::start(3).unwrap();
    let nodes = cluster.nodes();
    let fleet = Fleet::start(program(), &vec![url_of(&cluster); SERVERS]).unwrap();
    // The accounts are in several slots, and there is one backplane.
    for at in 0..6 {
        let session = signed_in(&fleet, at % SERVERS);
        cached_everywhere(&fleet, &session, || nodes.iter().map(reads).sum());
        let out = sign_out(&fleet, (at + 1) % SERVERS, &session);
        assert_eq!(waited_for(&out).1, SERVERS - 1);
        assert_signed_out(&fleet, &session);
    }
    assert_kept(&fleet, Rules::ALL);
}

#[test]
fn a_failover_on_a_cluster_lets_no_cached_entry_outlive_a_sign_out() {
    let mut cluster = RedisCluster::with_replicas(3).unwrap();
    let fleet = Fleet::start(program(), &vec![url_of(&cluster); SERVERS]).unwrap();
    // Each master fails over in turn: that of the backplane, and those of the accounts.
    for at in 0..3 {
        let sessions = [signed_in(&fleet, 0), signed_in(&fleet, 1)];
        for session in &sessions {
            let all = || cluster.nodes().iter().chain(cluster.replicas());
            cached_everywhere(&fleet, session, || all().map(reads).sum());
        }
        let overtaken = fleet.begin(1, signing_out(&sessions[0]));
        cluster.fail_over(at).unwrap();
        for session in &sessions {
            sign_out(&fleet, at, session);
            assert_signed_out(&fleet, session);
        }
        overtaken.wait();
    }
    assert_kept(&fleet, Rules::ALL);
}

#[test]
fn over_tls_no_cached_entry_outlives_a_sign_out() {
    let redis = RedisServer::start(RedisOptions {
        tls: true,
        ..RedisOptions::default()
    })
    .unwrap();
    let (url, authority) = (redis.tls_url().unwrap(), redis.authority());
    let url = format!("{url}/?ca={}&{NEAR_CACHE}", authority.display());
    let fleet = Fleet::start(program(), &vec![url; SERVERS]).unwrap();
    let session = signed_in(&fleet, 0);
    cached_everywhere(&fleet, &session, || reads(&redis));
    let out = sign_out(&fleet, 0, &session);
    assert_eq!(waited_for(&out).1, SERVERS - 1);
    assert_signed_out(&fleet, &session);
    assert_kept(&fleet, Rules::ALL);
}

fn url_of(cluster: &RedisCluster) -> String {
    let nodes = cluster.nodes().iter();
    let addresses: Vec<String> = nodes.map(|node| node.address().to_string()).collect();
    format!("redis+cluster://{}?{NEAR_CACHE}", addresses.join(","))
}

fn cached_everywhere(fleet: &Fleet, session: &Ticketed, requests: impl Fn() -> u64) {
    // What a failover lost is written again.
    settled(|| fleet.put(0, session));
    for at in 0..fleet.len() {
        assert_copied(fleet, at, session, &requests);
    }
}
