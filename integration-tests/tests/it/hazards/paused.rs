use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Fleet, Task, User},
    history::{Op, Outcome, Rules, Scope},
    servers::StoreKind,
};

use crate::hazards::common::{
    assert_signed_in, assert_signed_out, eventually, failed, fleet_at, kind as kind_of,
    on_every_store, settled, sign_out_account, store,
};

on_every_store!(
    a_paused_store_gives_time_outs_and_never_hangs_or_misses,
    an_unreachable_store_is_unavailable_in_time_and_no_sign_out_is_ok,
    a_paused_app_server_brings_nothing_back_when_it_continues,
);

const SERVERS: usize = 3;
const IMPATIENT: &str = "operation_timeout=400ms&connect_timeout=400ms";
/// Much longer than the configured time-out, and much shorter than a hang.
const HANG: Duration = Duration::from_secs(15);

fn a_paused_store_gives_time_outs_and_never_hangs_or_misses(kind: StoreKind) {
    let store = store(kind);
    let fleet = fleet_at(&vec![store.url(IMPATIENT); SERVERS]);
    let sign_in = |user| {
        eventually("a sign-in works", || {
            let session = fleet.sign_in(0, user).ok()?;
            (settled(|| fleet.put(0, &session)) == Outcome::Done).then_some(session)
        })
    };
    let living = sign_in(User::new(fleet.account()));
    let ended = sign_in(User::new(fleet.account()));
    let user = User::new(fleet.account());

    store.pause().unwrap();
    let started = fleet.start_sign_in(1).unwrap();
    let resume = Op::Resume {
        session: living.session,
    };
    let sign_out = Task::new(Op::SignOut(Scope::Account(ended.account)));
    let running = [
        ("read", fleet.begin(0, Fleet::getting(&living))),
        ("read elsewhere", fleet.begin(2, Fleet::getting(&ended))),
        (
            "ticket",
            fleet.begin(1, Task::with_ticket(resume, &living.ticket)),
        ),
        ("write", fleet.begin(2, fleet.putting(&living, None))),
        ("sign-in", fleet.call_back(1, user, &started).1),
        ("sign-out", fleet.begin(0, sign_out)),
    ];
    for (what, running) in running {
        let answer = running.wait();
        assert_eq!(kind_of(&answer.outcome), "TimedOut", "{what}: {answer:?}");
        let took = Duration::from_nanos(answer.span.end.0 - answer.span.start.0);
        assert!(took < HANG, "{what} took {took:?}");
        let changes = match what {
            "read" | "read elsewhere" | "ticket" => false,
            // On DynamoDB it reads the account's head first, and did not get further.
            "sign-in" => kind == StoreKind::Redis,
            _ => true,
        };
        let maybe = matches!(answer.outcome, Outcome::Failed { maybe: true, .. });
        assert_eq!(maybe, changes, "{what}: {answer:?}");
    }
    store.resume().unwrap();

    assert_signed_in(&fleet, &living);
    let out = settled(|| sign_out_account(&fleet, 1, &ended));
    assert!(
        matches!(out, Outcome::Done | Outcome::EndedNothing),
        "{out:?}"
    );
    assert_signed_out(&fleet, &ended);
    fleet.assert_kept(Rules::ALL);
}

fn an_unreachable_store_is_unavailable_in_time_and_no_sign_out_is_ok(kind: StoreKind) {
    let mut store = store(kind);
    let fleet = fleet_at(&vec![store.url(IMPATIENT); SERVERS]);
    let session = fleet.sign_in(0, User::new(fleet.account())).unwrap();
    store.kill9().unwrap();
    for at in 0..SERVERS {
        for answer in [
            fleet.get(at, &session),
            fleet.begin(at, fleet.putting(&session, None)).wait(),
            fleet.sign_out_scope(at, Scope::Account(session.account)),
        ] {
            assert!(failed(&answer.outcome), "{answer:?}");
            assert!(
                ["Unavailable", "TimedOut"].contains(&kind_of(&answer.outcome)),
                "{answer:?}"
            );
            let took = Duration::from_nanos(answer.span.end.0 - answer.span.start.0);
            assert!(took < HANG, "it took {took:?}");
        }
    }
    // No data was persisted, so all users are signed out. The fleet works again without a restart of its own.
    store.restart().unwrap();
    assert_signed_out(&fleet, &session);
    let again = eventually("a sign-in works", || {
        fleet.sign_in(2, User::new(session.account)).ok()
    });
    assert_eq!(settled(|| fleet.put(1, &again)), Outcome::Done);
    assert_signed_in(&fleet, &again);
    fleet.assert_kept(Rules::LOSING);
}

/// A paused app server may continue long after the sign-out. Its pending writes must have no effect.
fn a_paused_app_server_brings_nothing_back_when_it_continues(kind: StoreKind) {
    let store = store(kind);
    let fleet = crate::hazards::common::fleet_on(&store, SERVERS);
    for _ in 0..5 {
        let session = crate::hazards::common::signed_in(&fleet, 0, User::new(fleet.account()));
        let read = fleet.get(2, &session);
        fleet.server(2).pause();
        let write = fleet.begin(2, fleet.putting(&session, Some(&read)));
        let started = fleet.start_sign_in(0).unwrap();
        let user = User {
            auth_time: 1,
            ..User::new(session.account)
        };
        let (_, callback) = fleet.call_back(2, user, &started);
        assert_eq!(sign_out_account(&fleet, 1, &session), Outcome::Done);
        fleet.server(2).resume();
        assert_eq!(write.wait().outcome, Outcome::SignedOut);
        assert_eq!(callback.wait().outcome, Outcome::SignedOut);
        assert_signed_out(&fleet, &session);
    }
    fleet.assert_kept(Rules::ALL);
}
