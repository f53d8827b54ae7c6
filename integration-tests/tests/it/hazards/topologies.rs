use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed, User},
    history::{Outcome, Rules},
    servers::{RedisCluster, RedisOptions, SentinelSetup},
};

use crate::hazards::common::{
    assert_signed_in, assert_signed_out, eventually, failed, fleet_at, settled, sign_out_account,
};

const SERVERS: usize = 3;

/// Returns a session with tokens. Repeats while the servers are busy or change roles.
pub(crate) fn signed_in(fleet: &Fleet, at: usize, user: User) -> Ticketed {
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
    let url = by(&setup, "replicas=1&operation_timeout=3s&connect_timeout=3s");
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
    // The sessions were on the replica before their sign-in was `Ok`. Their tokens may not have been.
    for session in living {
        assert_eq!(settled(|| fleet.resume(0, session)), Outcome::Done);
    }
    // No replica is left to confirm: the sign-out is carried out, but is not `Ok` until the old primary is back as a replica.
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

/// A failover at an operator's request leaves the old primary up. It accepts writes until it is demoted, ten seconds after the Sentinels
/// have named another.
#[test]
fn app_servers_follow_the_sentinels_before_the_old_primary_is_demoted() {
    let setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let fleet = fleet_at(&vec![by(&setup, "operation_timeout=2s"); SERVERS]);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    setup.ask_for_failover().unwrap();
    setup.wait_for_failover().unwrap();
    let (old, new) = (setup.servers().primary(), setup.servers().replica());
    let writes_at_new = || {
        let stats = new.cli(&["INFO", "commandstats"]).unwrap();
        stats.text().unwrap().contains("cmdstat_evalsha")
    };
    let asked_at_old = || {
        let stats = old.cli(&["INFO", "commandstats"]).unwrap();
        let stats = stats.text().unwrap().to_owned();
        let line = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        line.unwrap_or_default().to_owned()
    };
    eventually("a write reaches the new primary", || {
        for at in 0..SERVERS {
            assert_eq!(settled(|| fleet.put(at, &session)), Outcome::Done);
        }
        writes_at_new().then_some(())
    });
    eventually("every app server has left the old primary", || {
        let before = asked_at_old();
        for at in 0..SERVERS {
            assert_eq!(settled(|| fleet.put(at, &session)), Outcome::Done);
        }
        (asked_at_old() == before).then_some(())
    });
    assert_eq!(
        old.role().as_deref(),
        Some("master"),
        "they stayed until the old primary was demoted"
    );
    assert_signed_in(&fleet, &session);
}

/// With `confirm_every_write`, no acknowledged write is lost while the old primary still takes writes.
#[test]
fn a_write_that_a_replica_confirmed_is_not_older_after_a_failover() {
    let setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let parameters = "replicas=1&confirm_every_write=true&operation_timeout=1s&connect_timeout=1s";
    let fleet = fleet_at(&vec![by(&setup, parameters); SERVERS]);
    let sessions: Vec<Ticketed> = (0..6)
        .map(|at| signed_in(&fleet, at % SERVERS, User::new(fleet.account())))
        .collect();
    setup.ask_for_failover().unwrap();
    let start = std::time::Instant::now();
    let mut at = 0;
    let mut acknowledged = 0;
    // Until the old primary has become a replica, and confirms the writes of the new one.
    while setup.servers().primary().role().as_deref() != Some("slave")
        || acknowledged < sessions.len()
    {
        assert!(
            start.elapsed().as_secs() < 60,
            "the old primary is not demoted"
        );
        if setup.servers().primary().role().as_deref() != Some("slave") {
            acknowledged = 0;
        }
        at += 1;
        let session = &sessions[at % sessions.len()];
        let put = fleet.put(at % SERVERS, session);
        acknowledged += usize::from(put == Outcome::Done);
        for at in 0..SERVERS {
            let _ = fleet.get(at, session);
        }
    }
    for session in &sessions {
        assert_signed_in(&fleet, session);
    }
    fleet.assert_kept(Rules::ALL);
}

fn by(setup: &SentinelSetup, parameters: &str) -> String {
    let sentinels: Vec<String> = setup.sentinels().iter().map(ToString::to_string).collect();
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    format!("redis+sentinel://{sentinels}/{service}?{parameters}")
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
    // A node may be paused for less than the time after which the others consider it failed.
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
        "the paused node has no account of {}",
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
