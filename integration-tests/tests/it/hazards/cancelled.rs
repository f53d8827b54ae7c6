use token_cache_integration_tests::{
    fleet::{Fleet, Task, User},
    history::{Op, Outcome, Rules, Scope},
    servers::StoreKind,
};

use crate::hazards::common::{
    PATIENT, assert_signed_out, eventually, fleet_at, fleet_on, on_every_store, signed_in, store,
};

on_every_store!(
    a_sign_out_is_carried_out_whenever_its_caller_goes_away,
    dropped_callers_leave_the_others_their_own_answers,
);

const SERVERS: usize = 3;
/// More polls than a sign-out has await points.
const POLLS: usize = 6;

fn a_sign_out_is_carried_out_whenever_its_caller_goes_away(kind: StoreKind) {
    let store = store(kind);
    let fleet = fleet_on(&store, SERVERS);
    let scopes: [fn(&User) -> Option<Scope>; 5] = [
        |_| None,
        |user| Some(Scope::Account(user.account)),
        |user| user.sid.map(Scope::ProviderSession),
        |user| {
            let issued_at = user.auth_time;
            Some(Scope::Message {
                account: Some(user.account),
                sid: user.sid,
                issued_at,
            })
        },
        |user| {
            Some(Scope::Message {
                account: None,
                sid: user.sid,
                issued_at: user.auth_time,
            })
        },
    ];
    for scope in scopes {
        for polls in 0..=POLLS {
            let user = User::new(fleet.account()).with_sid(fleet.number());
            let session = signed_in(&fleet, 0, user);
            let op = Op::SignOut(scope(&user).unwrap_or(Scope::Session(session.session)));
            let mut task = Task::with_ticket(op.clone(), &session.ticket);
            task.polls = Some(polls);
            let outcome = fleet.begin(1, task).wait().outcome;
            assert!(
                matches!(outcome, Outcome::Done | Outcome::Unknown),
                "{op:?}: {outcome:?}"
            );
            if polls == 0 {
                // It was never begun.
                assert!(matches!(
                    fleet.get(2, &session).outcome,
                    Outcome::Found { .. }
                ));
            } else {
                eventually("the sign-out is carried out", || {
                    (fleet.get(2, &session).outcome == Outcome::SignedOut).then_some(())
                });
                assert_signed_out(&fleet, &session);
            }
        }
    }
    fleet.assert_kept(Rules::ALL);
}

/// The reply to a dropped caller must not be delivered to the next one.
fn dropped_callers_leave_the_others_their_own_answers(kind: StoreKind) {
    let store = store(kind);
    // One app server has a slow connection, so that callers are still waiting when they are dropped.
    let line = store.line().unwrap();
    let patient = store.url(PATIENT);
    let fleet = fleet_at(&[patient.clone(), patient, line.url(PATIENT)]);
    line.delay(std::time::Duration::from_millis(2));
    let sessions: Vec<_> = (0..8)
        .map(|_| signed_in(&fleet, 2, User::new(fleet.account())))
        .collect();
    for round in 0..20 {
        let running: Vec<_> = sessions
            .iter()
            .enumerate()
            .flat_map(|(index, session)| {
                let mut read = Fleet::getting(session);
                let mut write = fleet.putting(session, None);
                read.polls = ((index + round) % 2 == 0).then_some(1 + round % 3);
                write.polls = ((index + round) % 3 == 0).then_some(1 + round % 3);
                [fleet.begin(2, read), fleet.begin(2, write)]
            })
            .collect();
        for running in running {
            let outcome = running.wait().outcome;
            let fine = matches!(
                outcome,
                Outcome::Found { .. } | Outcome::Done | Outcome::Unknown
            );
            assert!(fine, "{outcome:?}");
        }
    }
    fleet.assert_kept(Rules::ALL);
}
