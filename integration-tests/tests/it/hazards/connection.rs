use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Fleet, User},
    history::{Outcome, Rules, Scope},
    servers::{Fault, Line, OwnStore, Step, StoreKind},
};

use crate::hazards::common::{
    PATIENT, assert_signed_in, assert_signed_out, eventually, fleet_at, on_every_store, settled,
    signed_in, store,
};

on_every_store!(
    a_write_whose_connection_breaks_is_stored_or_says_that_it_may_be,
    a_read_whose_connection_breaks_is_no_miss,
    a_sign_out_whose_connection_breaks_is_ok_or_is_asked_again_until_it_is,
    a_sign_in_whose_connection_breaks_leaves_one_session_or_none,
    a_network_that_swallows_everything_gives_time_outs_and_recovers,
    refused_connections_are_unavailable_until_they_are_accepted_again,
    a_sign_in_takes_no_longer_than_the_timeout_of_one_operation,
);

/// Starts two app servers, and one with a connection to the store that the test can break.
fn on_a_line(store: &OwnStore) -> (Fleet, Line) {
    let line = store.line().unwrap();
    let url = store.url(PATIENT);
    let fleet = fleet_at(&[url.clone(), url, line.url(PATIENT)]);
    (fleet, line)
}

const BROKEN: usize = 2;
const FAULTS: [Fault; 2] = [Fault::CutRequest, Fault::DropReply];

/// Returns `true` if a failure with an unknown outcome says that the outcome is unknown.
fn is_honest(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Failed { maybe: false, .. })
}

fn a_write_whose_connection_breaks_is_stored_or_says_that_it_may_be(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = on_a_line(&store);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    for fault in FAULTS {
        for _ in 0..5 {
            let struck = line.faults();
            line.on_next(Step::Change, fault);
            let put = fleet.put(BROKEN, &session);
            assert_eq!(line.faults(), struck + 1, "{fault:?} did not happen");
            assert!(
                put == Outcome::Done || is_honest(&put),
                "{fault:?}: {put:?}"
            );
            assert_eq!(settled(|| fleet.put(BROKEN, &session)), Outcome::Done);
            assert_signed_in(&fleet, &session);
        }
    }
    fleet.assert_kept(Rules::ALL);
}

fn a_read_whose_connection_breaks_is_no_miss(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = on_a_line(&store);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    for fault in FAULTS {
        for _ in 0..5 {
            let struck = line.faults();
            line.on_next(Step::Read, fault);
            let read = fleet.get(BROKEN, &session).outcome;
            assert_eq!(line.faults(), struck + 1, "{fault:?} did not happen");
            assert!(
                matches!(read, Outcome::Found { .. } | Outcome::Failed { .. }),
                "{fault:?}: {read:?}"
            );
        }
    }
    line.cut();
    assert_signed_in(&fleet, &session);
    fleet.assert_kept(Rules::ALL);
}

fn a_sign_out_whose_connection_breaks_is_ok_or_is_asked_again_until_it_is(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = on_a_line(&store);
    let scopes: [fn(&User) -> Scope; 4] = [
        |user| Scope::Account(user.account),
        |user| Scope::Accounts(vec![user.account]),
        |user| Scope::ProviderSession(user.sid.unwrap()),
        |user| Scope::Message {
            account: Some(user.account),
            sid: None,
            issued_at: user.auth_time,
        },
    ];
    for fault in FAULTS {
        for scope in scopes {
            let user = User::new(fleet.account()).with_sid(fleet.number());
            let session = signed_in(&fleet, 0, user);
            let scope = scope(&user);
            let struck = line.faults();
            line.on_next(Step::Change, fault);
            let out = fleet.sign_out_scope(BROKEN, scope.clone()).outcome;
            assert_eq!(
                line.faults(),
                struck + 1,
                "{fault:?} did not happen to {scope:?}"
            );
            assert!(is_honest(&out), "{fault:?}, {scope:?}: {out:?}");
            let out = settled(|| fleet.sign_out_scope(BROKEN, scope.clone()).outcome);
            assert!(
                matches!(out, Outcome::Done | Outcome::EndedNothing),
                "{out:?}"
            );
            assert_signed_out(&fleet, &session);
        }
    }
    fleet.assert_kept(Rules::ALL);
}

fn a_sign_in_whose_connection_breaks_leaves_one_session_or_none(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = on_a_line(&store);
    for fault in FAULTS {
        for _ in 0..5 {
            let user = User::new(fleet.account());
            let struck = line.faults();
            line.on_next(Step::Change, fault);
            let begun = fleet.sign_in(BROKEN, user);
            assert_eq!(line.faults(), struck + 1, "{fault:?} did not happen");
            match begun {
                Ok(session) => {
                    assert_eq!(settled(|| fleet.put(BROKEN, &session)), Outcome::Done);
                    assert_signed_in(&fleet, &session);
                }
                Err(outcome) => assert!(is_honest(&outcome), "{fault:?}: {outcome:?}"),
            }
        }
    }
    fleet.assert_kept(Rules::ALL);
}

fn a_network_that_swallows_everything_gives_time_outs_and_recovers(kind: StoreKind) {
    let store = store(kind);
    let line = store.line().unwrap();
    let impatient = line.url("operation_timeout=400ms&connect_timeout=400ms");
    let patient = store.url(PATIENT);
    let fleet = fleet_at(&[patient.clone(), patient, impatient]);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    line.freeze();
    let read = fleet.get(BROKEN, &session).outcome;
    let write = fleet.put(BROKEN, &session);
    let out = fleet.sign_out(BROKEN, &session);
    line.thaw();
    for outcome in [&read, &write, &out] {
        assert_eq!(crate::hazards::common::kind(outcome), "TimedOut");
    }
    // On DynamoDB a session's sign-out reads the account's head first, and did not get further.
    let reads_first = kind == StoreKind::DynamoDb;
    assert!(
        is_honest(&write) && (is_honest(&out) || reads_first),
        "{write:?} {out:?}"
    );
    // What was held back may arrive now. The next sign-out ends the session in any case.
    let out = settled(|| fleet.sign_out(BROKEN, &session));
    assert!(
        matches!(out, Outcome::Done | Outcome::EndedNothing),
        "{out:?}"
    );
    assert_signed_out(&fleet, &session);
    fleet.assert_kept(Rules::ALL);
}

fn refused_connections_are_unavailable_until_they_are_accepted_again(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = {
        let line = store.line().unwrap();
        let short = "operation_timeout=500ms&connect_timeout=500ms";
        let patient = store.url(PATIENT);
        (fleet_at(&[patient.clone(), patient, line.url(short)]), line)
    };
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    line.refuse(true);
    let read = fleet.get(BROKEN, &session).outcome;
    assert!(
        ["Unavailable", "TimedOut"].contains(&crate::hazards::common::kind(&read)),
        "{read:?}"
    );
    let out = fleet.sign_out(BROKEN, &session);
    assert!(
        ["Unavailable", "TimedOut"].contains(&crate::hazards::common::kind(&out)),
        "{out:?}"
    );
    line.refuse(false);
    assert_signed_in(&fleet, &session);
    assert_eq!(settled(|| fleet.sign_out(BROKEN, &session)), Outcome::Done);
    assert_signed_out(&fleet, &session);
    fleet.assert_kept(Rules::ALL);
}

/// `operation_timeout` limits the requests of one call together. Each is answered after two thirds of it.
fn a_sign_in_takes_no_longer_than_the_timeout_of_one_operation(kind: StoreKind) {
    let store = store(kind);
    let line = store.line().unwrap();
    let patient = store.url(PATIENT);
    let slow = line.url("operation_timeout=1s&connect_timeout=10s");
    let fleet = fleet_at(&[patient.clone(), patient, slow]);
    let user = || User::new(fleet.account()).with_sid(fleet.number());
    // The server has then received everything that it requests only once.
    eventually("a sign-in works", || fleet.sign_in(BROKEN, user()).ok());
    line.delay(Duration::from_millis(650));
    let outcome = fleet.sign_in(BROKEN, user()).unwrap_err();
    line.delay(Duration::ZERO);
    assert_eq!(
        crate::hazards::common::kind(&outcome),
        "TimedOut",
        "{outcome:?}"
    );
    fleet.assert_kept(Rules::ALL);
}
