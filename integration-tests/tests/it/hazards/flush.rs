use std::thread;

use token_cache_integration_tests::{
    clock::Tick,
    fleet::{Server, Settings, StartError, Ticketed, User},
    history::{Event, Op, Outcome, Rules, Scope, Span},
};

use crate::hazards::common::{
    assert_signed_in, assert_signed_out, eventually, fleet, program, redis, signed_in,
};

const SERVERS: usize = 3;

#[test]
fn flushall_under_a_running_fleet_signs_all_users_out_and_the_fleet_continues() {
    let redis = redis();
    let fleet = fleet(&redis, SERVERS);
    let sessions: Vec<Ticketed> = (0..12)
        .map(|at| signed_in(&fleet, at % SERVERS, User::new(fleet.account())))
        .collect();
    thread::scope(|threads| {
        // Each session is read and refreshed continuously, also during the flush.
        for (number, session) in sessions.iter().enumerate() {
            let fleet = &fleet;
            threads.spawn(move || {
                loop {
                    let read = fleet.get(number % SERVERS, session);
                    match read.outcome {
                        Outcome::Found { .. } => {}
                        Outcome::SignedOut => return,
                        other => panic!("a read ended in {other:?}"),
                    }
                    let task = fleet.putting(session, Some(&read));
                    let written = fleet.begin((number + 1) % SERVERS, task).wait().outcome;
                    assert!(
                        matches!(
                            written,
                            Outcome::Done | Outcome::PreconditionFailed | Outcome::SignedOut
                        ),
                        "{written:?}"
                    );
                }
            });
        }
        let begun = fleet.history().len();
        while fleet.history().len() < begun + 100 {
            thread::yield_now();
        }
        let start = Tick::now();
        redis.cli(&["FLUSHALL"]).unwrap();
        // The checker treats it as a sign-out of all users.
        fleet.record(Event {
            process: u32::MAX,
            span: Span {
                start,
                end: Tick::now(),
            },
            op: Op::SignOut(Scope::Issuer(0)),
            outcome: Outcome::Done,
        });
    });
    for session in &sessions {
        assert_signed_out(&fleet, session);
        assert_eq!(fleet.put(0, session), Outcome::SignedOut);
        let again = signed_in(&fleet, 1, User::new(session.account));
        assert_signed_in(&fleet, &again);
    }
    fleet.assert_kept(Rules::ALL);
}

#[test]
fn after_flushall_the_namespace_is_still_the_fleets_own() {
    let redis = redis();
    let fleet = fleet(&redis, SERVERS);
    redis.cli(&["FLUSHALL"]).unwrap();
    eventually("the namespace record is put back", || {
        let size = redis.cli(&["DBSIZE"]).unwrap();
        (size.int() > Some(0)).then_some(())
    });
    let stranger = Settings {
        secret: "a secret that is not the fleet's: it decrypts nothing".to_owned(),
        ..fleet.settings(0).clone()
    };
    match Server::start(&program(), &stranger) {
        Err(StartError::Refused { kind, .. }) => assert_eq!(kind, "Config"),
        other => panic!("another secret was accepted: {other:?}"),
    }
}

#[test]
fn scripts_that_were_flushed_are_loaded_again_unnoticed() {
    let redis = redis();
    let fleet = fleet(&redis, SERVERS);
    let flush = || drop(redis.cli(&["SCRIPT", "FLUSH"]).unwrap());
    for round in 0..20 {
        let (here, there) = (round % SERVERS, (round + 1) % SERVERS);
        flush();
        let session = fleet.sign_in(here, User::new(fleet.account())).unwrap();
        flush();
        // Several writes find it missing at the same time.
        let writes: Vec<_> = (0..8)
            .map(|number| fleet.begin(number % SERVERS, fleet.putting(&session, None)))
            .collect();
        for write in writes {
            assert_eq!(write.wait().outcome, Outcome::Done);
        }
        assert_signed_in(&fleet, &session);
        flush();
        assert_eq!(fleet.sign_out(there, &session), Outcome::Done);
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}
