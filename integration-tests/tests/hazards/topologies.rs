use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed, User},
    history::{Outcome, Rules},
    servers::{RedisCluster, RedisOptions, SentinelSetup},
};

use crate::common::{
    assert_signed_in, assert_signed_out, eventually, failed, fleet_at, settled, sign_out_account,
};

const SERVERS: usize = 3;

/// A session with tokens; asked again while the servers are busy or change their places.
fn signed_in(fleet: &Fleet, at: usize, user: User) -> Ticketed {
    eventually("a sign-in works", || {
        let session = match fleet.sign_in(at, user) {
            Ok(session) => session,
            Err(outcome) => {
                assert!(failed(&outcome), "{outcome:?}");
                return None;
            }
        };
        (settled(|| fleet.put(at, &session)) == Outcome::Done).then_some(session)
    })
}

#[test]
fn a_failover_by_sentinels_keeps_what_the_replica_confirmed() {
    let mut setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let sentinels: Vec<String> = setup.sentinels().iter().map(ToString::to_string).collect();
    let parameters = "replicas=1&operation_timeout=3s&connect_timeout=3s";
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    let url = format!("redis+sentinel://{sentinels}/{service}?{parameters}");
    let fleet = fleet_at(&vec![url; SERVERS]);
    let sessions: Vec<Ticketed> = (0..6)
        .map(|at| signed_in(&fleet, at % SERVERS, User::new(fleet.account())))
        .collect();
    let (ended, living) = sessions.split_at(3);
    for session in ended {
        assert!(!failed(&settled(|| sign_out_account(&fleet, 1, session))));
    }
    setup.servers_mut().primary_mut().kill9().unwrap();
    setup.wait_for_failover().unwrap();
    for session in ended {
        assert_signed_out(&fleet, session);
    }
    // Sessions were on the replica before their sign-in was Ok; their tokens may not have been.
    for session in living {
        assert_eq!(settled(|| fleet.resume(0, session)), Outcome::Done);
    }
    // No replica is left to confirm: carried out, but not Ok, until the old primary is back as one.
    let out = sign_out_account(&fleet, 2, &living[0]);
    assert!(
        matches!(out, Outcome::Failed { maybe: true, .. }),
        "{out:?}"
    );
    setup.servers_mut().primary_mut().restart().unwrap();
    for session in living {
        assert!(!failed(&settled(|| sign_out_account(&fleet, 1, session))));
        assert_signed_out(&fleet, session);
    }
    let again = signed_in(&fleet, 2, User::new(fleet.account()));
    assert_signed_in(&fleet, &again);
    fleet.assert_kept(Rules::LOSING);
}

#[test]
fn on_a_cluster_a_paused_node_makes_no_sign_out_ok_and_stops_no_other() {
    let cluster = RedisCluster::start(3).unwrap();
    let nodes: Vec<String> = cluster
        .nodes()
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    let nodes = nodes.join(",");
    // A node may be paused for less than the time after which the others give it up.
    let url = format!("redis+cluster://{nodes}?operation_timeout=500ms&connect_timeout=500ms");
    let fleet = fleet_at(&vec![url; SERVERS]);
    let sessions: Vec<Ticketed> = (0..24)
        .map(|at| signed_in(&fleet, at % SERVERS, User::new(fleet.account())))
        .collect();
    let (to_end, living) = sessions.split_at(18);
    let paused = &cluster.nodes()[1];
    paused.pause().unwrap();
    let running: Vec<_> = to_end
        .iter()
        .enumerate()
        .map(|(at, session)| fleet.begin(at % SERVERS, Fleet::signing_out(session)))
        .collect();
    let outcomes: Vec<Outcome> = running
        .into_iter()
        .map(|running| running.wait().outcome)
        .collect();
    paused.resume().unwrap();
    assert!(
        outcomes.iter().any(failed),
        "the paused node held no account of {}",
        to_end.len()
    );
    assert!(outcomes.contains(&Outcome::Done), "{outcomes:?}");
    for (session, outcome) in to_end.iter().zip(outcomes) {
        if failed(&outcome) {
            assert!(!failed(&settled(|| sign_out_account(&fleet, 0, session))));
        }
        assert_signed_out(&fleet, session);
    }
    for session in living {
        assert_signed_in(&fleet, session);
    }
    fleet.assert_kept(Rules::ALL);
}
