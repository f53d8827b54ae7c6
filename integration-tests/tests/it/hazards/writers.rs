use std::thread;

use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed, User},
    history::{Account, Outcome, Rules, Scope, Sid},
    servers::{Line, OwnStore, StoreKind},
};

use crate::hazards::common::{
    PATIENT, assert_found, assert_signed_in, assert_signed_out, fleet_at, fleet_on, on_every_store,
    settled, sign_out_account, signed_in, store,
};

on_every_store!(
    a_sign_out_of_any_scope_stops_fifty_writers_forever,
    a_write_that_the_network_delivers_after_the_sign_out_is_refused,
    a_sign_in_that_the_network_delivers_after_the_sign_out_is_refused,
    a_writer_killed_between_its_steps_leaves_nothing_that_comes_back,
    a_sign_in_killed_between_its_steps_harms_no_session,
);

const SERVERS: usize = 4;
const WRITERS: usize = 50;

/// Writes until a write is refused. Returns how many were stored.
fn write_until_refused(fleet: &Fleet, at: usize, session: &Ticketed) -> usize {
    let mut stored = 0;
    loop {
        // Half of the writes replace what was read, as a refresh does.
        let task = if stored % 2 == 0 {
            fleet.putting(session, None)
        } else {
            let read = fleet.get(at, session);
            if read.outcome == Outcome::SignedOut {
                return stored;
            }
            fleet.putting(session, Some(&read))
        };
        match fleet.begin(at, task).wait().outcome {
            Outcome::Done => stored += 1,
            Outcome::PreconditionFailed => {}
            Outcome::SignedOut => return stored,
            other => panic!("a write ended in {other:?}"),
        }
    }
}

fn scopes(user: &User) -> Vec<Scope> {
    let (account, sid) = (user.account, user.sid);
    let issued_at = user.auth_time;
    vec![
        Scope::Account(account),
        Scope::Accounts(vec![account]),
        Scope::ProviderSession(sid.unwrap()),
        Scope::Issuer(account.issuer),
        Scope::Message {
            account: Some(account),
            sid: None,
            issued_at,
        },
        Scope::Message {
            account: Some(account),
            sid,
            issued_at,
        },
        Scope::Message {
            account: None,
            sid,
            issued_at,
        },
    ]
}

fn a_sign_out_of_any_scope_stops_fifty_writers_forever(kind: StoreKind) {
    let store = store(kind);
    let fleet = fleet_on(&store, SERVERS);
    for round in 0..7 {
        let user = User::new(fleet.account()).with_sid(fleet.number());
        let sessions: Vec<Ticketed> = (0..5)
            .map(|at| signed_in(&fleet, at % SERVERS, user))
            .collect();
        let scope = scopes(&user).swap_remove(round);
        let stored: Vec<usize> = thread::scope(|threads| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let session = &sessions[writer % sessions.len()];
                    let fleet = &fleet;
                    threads.spawn(move || write_until_refused(fleet, writer % SERVERS, session))
                })
                .collect();
            // The writers are running once this many writes were recorded.
            let begun = fleet.history().len();
            while fleet.history().len() < begun + 4 * WRITERS {
                thread::yield_now();
            }
            let out = fleet.sign_out_scope(round % SERVERS, scope.clone());
            assert_eq!(out.outcome, Outcome::Done, "{scope:?}: {out:?}");
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
        assert!(
            stored.iter().sum::<usize>() > 0,
            "no write was stored before {scope:?}"
        );
        for session in &sessions {
            assert_signed_out(&fleet, session);
        }
    }
    let report = fleet.assert_kept(Rules::ALL);
    assert!(report.counts.late_writes_refused > 0, "{report}");
}

/// Starts a fleet of three, the last of which has a connection of its own to the store.
fn fleet_with_a_line(store: &OwnStore) -> (Fleet, Line) {
    let line = store.line().unwrap();
    let url = store.url(PATIENT);
    let fleet = fleet_at(&[url.clone(), url, line.url(PATIENT)]);
    (fleet, line)
}

const HELD_BACK: usize = 2;

fn a_write_that_the_network_delivers_after_the_sign_out_is_refused(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = fleet_with_a_line(&store);
    for _ in 0..10 {
        let session = signed_in(&fleet, 0, User::new(fleet.account()));
        let read = fleet.get(HELD_BACK, &session);
        assert_found(&read);
        line.freeze();
        let refresh = fleet.begin(HELD_BACK, fleet.putting(&session, Some(&read)));
        let write = fleet.begin(HELD_BACK, fleet.putting(&session, None));
        line.wait_until_holding().unwrap();
        assert_eq!(sign_out_account(&fleet, 1, &session), Outcome::Done);
        line.thaw();
        assert_eq!(refresh.wait().outcome, Outcome::SignedOut);
        assert_eq!(write.wait().outcome, Outcome::SignedOut);
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}

fn a_sign_in_that_the_network_delivers_after_the_sign_out_is_refused(kind: StoreKind) {
    let store = store(kind);
    let (fleet, line) = fleet_with_a_line(&store);
    for round in 0..7 {
        // With an issuer of its own, no other test's user is signed out.
        let account = Account {
            issuer: u32::try_from(round).unwrap(),
            ..fleet.account()
        };
        let user = User::new(account).with_sid(fleet.number());
        let scope = scopes(&user).swap_remove(round);
        let started = fleet.start_sign_in(HELD_BACK).unwrap();
        line.freeze();
        let (_, callback) = fleet.call_back(HELD_BACK, user, &started);
        line.wait_until_holding().unwrap();
        let out = fleet.sign_out_scope(1, scope.clone()).outcome;
        assert_eq!(out, Outcome::EndedNothing, "{scope:?}");
        line.thaw();
        assert_eq!(callback.wait().outcome, Outcome::SignedOut, "{scope:?}");
        // A new authentication is accepted.
        let sid = Sid {
            number: fleet.number(),
            ..user.sid.unwrap()
        };
        let again = User {
            sid: Some(sid),
            ..User::new(user.account)
        };
        let session = settled_sign_in(&fleet, again);
        assert_signed_in(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}

/// Two app servers' estimates of the store's clock differ a little, so a sign-in right after a sign-out may count as before it.
fn settled_sign_in(fleet: &Fleet, user: User) -> Ticketed {
    crate::hazards::common::eventually("a new sign-in is accepted", || {
        let user = User {
            auth_time: User::new(user.account).auth_time,
            ..user
        };
        let session = fleet.sign_in(0, user).ok()?;
        (fleet.put(0, &session) == Outcome::Done).then_some(session)
    })
}

fn a_writer_killed_between_its_steps_leaves_nothing_that_comes_back(kind: StoreKind) {
    let store = store(kind);
    let (mut fleet, line) = fleet_with_a_line(&store);
    for _ in 0..4 {
        let session = signed_in(&fleet, 0, User::new(fleet.account()));
        let read = fleet.get(HELD_BACK, &session);
        // It has read, and its write is in flight when it is killed.
        line.freeze();
        let write = fleet.begin(HELD_BACK, fleet.putting(&session, Some(&read)));
        line.wait_until_holding().unwrap();
        fleet.server(HELD_BACK).kill9();
        assert_eq!(write.wait().outcome, Outcome::Unknown);
        assert_eq!(sign_out_account(&fleet, 1, &session), Outcome::Done);
        line.thaw();
        fleet.replace(HELD_BACK).unwrap();
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}

fn a_sign_in_killed_between_its_steps_harms_no_session(kind: StoreKind) {
    let store = store(kind);
    let (mut fleet, line) = fleet_with_a_line(&store);
    // A sign-in with a `sid` has three steps. Each is held back once while its app server is killed.
    for step in 0..3 {
        let user = User::new(fleet.account()).with_sid(fleet.number());
        let before = signed_in(&fleet, 0, user);
        let requests = line.requests();
        let started = fleet.start_sign_in(HELD_BACK).unwrap();
        let (_, callback) = fleet.call_back(HELD_BACK, user, &started);
        while step > 0 && line.requests() < requests + step {
            thread::yield_now();
        }
        fleet.server(HELD_BACK).kill9();
        drop(callback.wait());
        // The other session of the same user is still live, and a sign-out ends it.
        assert_signed_in_elsewhere(&fleet, &before);
        let out = fleet.sign_out_scope(1, Scope::ProviderSession(user.sid.unwrap()));
        assert_eq!(out.outcome, Outcome::Done);
        fleet.replace(HELD_BACK).unwrap();
        assert_signed_out(&fleet, &before);
    }
    fleet.assert_kept(Rules::ALL);
}

fn assert_signed_in_elsewhere(fleet: &Fleet, session: &Ticketed) {
    for at in 0..HELD_BACK {
        let read = settled(|| fleet.get(at, session).outcome);
        assert!(matches!(read, Outcome::Found { .. }), "{read:?}");
    }
}
