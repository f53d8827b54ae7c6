use token_cache_integration_tests::servers::{
    AppendFsync, RedisOptions, RedisServer, ReplicatedRedis, SentinelSetup,
};

fn value(redis: &RedisServer) -> Option<String> {
    redis
        .cli(&["GET", "key"])
        .unwrap()
        .text()
        .map(str::to_owned)
}

#[test]
fn a_replica_follows_and_confirms() {
    let pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
    let mut client = pair.primary().client().unwrap();
    client.call(&["SET", "key", "value"]).unwrap();
    assert_eq!(client.call(&["WAIT", "1", "5000"]).unwrap().int(), Some(1));
    assert_eq!(value(pair.replica()).as_deref(), Some("value"));
}

#[test]
fn a_write_made_while_the_replica_is_cut_off_is_lost_by_its_promotion() {
    let mut pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
    pair.primary().cli(&["SET", "key", "kept"]).unwrap();
    pair.wait_until_in_step().unwrap();
    let confirmed = pair
        .lose(|primary| {
            let mut client = primary.client().unwrap();
            client.call(&["SET", "key", "lost"]).unwrap();
            client.call(&["WAIT", "1", "100"]).unwrap().int()
        })
        .unwrap();
    assert_eq!(confirmed, Some(0));
    pair.promote().unwrap();
    assert_eq!(value(pair.replica()).as_deref(), Some("kept"));
}

#[test]
fn a_replica_that_rejoins_catches_up() {
    let pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
    pair.cut_replica_off().unwrap();
    pair.primary().cli(&["SET", "key", "value"]).unwrap();
    pair.rejoin().unwrap();
    assert_eq!(value(pair.replica()).as_deref(), Some("value"));
}

#[test]
fn sentinels_fail_over_when_the_primary_is_killed() {
    let mut setup = SentinelSetup::start(RedisOptions {
        appendonly: Some(AppendFsync::Always),
        requirepass: Some("password".into()),
        ..RedisOptions::default()
    })
    .unwrap();
    assert_eq!(setup.sentinels().len(), 3);
    assert_eq!(setup.current_primary().unwrap(), setup.primary().address());
    setup.primary().cli(&["SET", "key", "value"]).unwrap();
    setup.servers().wait_until_in_step().unwrap();
    setup.servers_mut().primary_mut().kill9().unwrap();
    setup.wait_for_failover().unwrap();
    let replica = setup.servers().replica();
    assert_eq!(setup.current_primary().unwrap(), replica.address());
    assert_eq!(value(replica).as_deref(), Some("value"));
    replica.cli(&["SET", "key", "written"]).unwrap();
}
