use token_cache_integration_tests::servers::RedisCluster;

#[test]
fn three_masters_share_the_slots_and_send_clients_to_each_other() {
    let cluster = RedisCluster::start(3).unwrap();
    assert_eq!(cluster.urls().len(), 3);
    let mut answered = [0, 0, 0];
    for key in 0..30 {
        let key = format!("key-{key}");
        for (node, count) in cluster.nodes().iter().zip(&mut answered) {
            match node.cli(&["SET", &key, "value"]) {
                Ok(_) => *count += 1,
                Err(error) => assert!(error.to_string().starts_with("MOVED"), "{error}"),
            }
        }
    }
    assert_eq!(
        answered.iter().sum::<i32>(),
        30,
        "each key is on one master"
    );
    assert!(answered.iter().all(|count| *count > 0), "{answered:?}");
}

#[test]
fn a_killed_master_comes_back_into_its_cluster() {
    let mut cluster = RedisCluster::start(3).unwrap();
    let node = &mut cluster.nodes_mut()[1];
    let id = node.cli(&["CLUSTER", "MYID"]).unwrap();
    node.kill9().unwrap();
    node.restart().unwrap();
    assert_eq!(node.cli(&["CLUSTER", "MYID"]).unwrap(), id);
}

#[test]
fn a_replica_takes_over_from_its_master_and_back() {
    let mut cluster = RedisCluster::with_replicas(3).unwrap();
    for _ in 0..2 {
        let before = [cluster.nodes()[1].port(), cluster.replicas()[1].port()];
        cluster.fail_over(1).unwrap();
        let after = [cluster.replicas()[1].port(), cluster.nodes()[1].port()];
        assert_eq!(after, before);
        assert_eq!(cluster.nodes()[1].role().unwrap(), "master");
        assert_eq!(cluster.replicas()[1].role().unwrap(), "slave");
    }
}
