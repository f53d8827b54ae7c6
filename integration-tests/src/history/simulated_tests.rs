#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::{
    tests::{ADA, AGE, event, found, span},
    *,
};

/// A step of one caller of the simulated cache.
#[derive(Debug, Clone)]
enum Step {
    SignIn,
    Put,
    Get,
    SignOutSession,
    SignOutAccount,
}

/// A step, its caller, when it takes effect, and for how long before and after that it is in progress.
type Timed = (Step, usize, u64, u64);

/// Simulates a cache in which every operation takes effect at one time. `resurrects` lets writes bring ended sessions back.
fn simulate(steps: &[Timed], resurrects: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let mut living: Vec<(SessionNumber, Option<u64>)> = Vec::new();
    let mut known: Vec<SessionNumber> = Vec::new();
    for (index, (step, choice, before, after)) in steps.iter().enumerate() {
        let unique = u64::try_from(index).unwrap() + 1;
        // The distance ensures that the request of a sign-in is after every sign-out that took effect before.
        let time = unique * AGE;
        let (start, end) = (time - before, time + after);
        let session = known.get(choice % known.len().max(1)).copied();
        let lives = |living: &[(SessionNumber, Option<u64>)], session| {
            living.iter().position(|(one, _)| *one == session)
        };
        let (op, outcome) = match (step, session) {
            (Step::SignIn, _) | (_, None) => {
                let session = SessionNumber(unique);
                known.push(session);
                living.push((session, None));
                let op = Op::SignIn {
                    session,
                    account: ADA,
                    sid: None,
                    auth_time: time,
                    requested: span(start, start),
                };
                (op, Outcome::Done)
            }
            (Step::Put, Some(session)) => {
                let op = Op::Put {
                    session,
                    entry: 0,
                    write: WriteId(unique),
                    over: None,
                };
                match lives(&living, session) {
                    Some(at) => living[at].1 = Some(unique),
                    None if resurrects => living.push((session, Some(unique))),
                    None => {}
                }
                let stored = resurrects || lives(&living, session).is_some();
                (
                    op,
                    if stored {
                        Outcome::Done
                    } else {
                        Outcome::SignedOut
                    },
                )
            }
            (Step::Get, Some(session)) => {
                let outcome = match lives(&living, session).map(|at| living[at].1) {
                    None => Outcome::SignedOut,
                    Some(None) => Outcome::Miss,
                    Some(Some(write)) => found(session, write),
                };
                (Op::Get { session, entry: 0 }, outcome)
            }
            (Step::SignOutSession, Some(session)) => {
                living.retain(|(one, _)| *one != session);
                (Op::SignOut(Scope::Session(session)), Outcome::Done)
            }
            (Step::SignOutAccount, Some(_)) => {
                living.clear();
                (Op::SignOut(Scope::Account(ADA)), Outcome::Done)
            }
        };
        events.push(event(start, end, op, outcome));
    }
    events
}

fn steps() -> impl Strategy<Value = Vec<Timed>> {
    let step = prop_oneof![
        2 => Just(Step::SignIn),
        4 => Just(Step::Put),
        4 => Just(Step::Get),
        1 => Just(Step::SignOutSession),
        1 => Just(Step::SignOutAccount),
    ];
    // A reach of up to two steps to either side makes neighbours overlap.
    let reach = 0..AGE * 2 + AGE / 2;
    prop::collection::vec((step, 0usize..4, 0..AGE, reach), 1..40)
}

proptest! {
    /// Operations that overlap may have happened in either order. A history that some order explains has no violations.
    #[test]
    fn an_atomic_cache_breaks_nothing(steps in steps()) {
        let events = simulate(&steps, false);
        prop_assert_eq!(check(&events, Rules::ALL).violations, []);
    }

    /// The order of the events does not matter.
    #[test]
    fn the_order_of_telling_does_not_matter(steps in steps(), resurrects: bool) {
        let mut events = simulate(&steps, resurrects);
        let told = check(&events, Rules::ALL).violations.len();
        events.reverse();
        prop_assert_eq!(check(&events, Rules::ALL).violations.len(), told);
    }

    /// A cache that accepts late writes is caught if one of them is read after the sign-out.
    #[test]
    fn a_resurrecting_cache_is_caught(before in steps(), gap in 0..AGE / 4) {
        let mut steps: Vec<Timed> = before;
        for step in [Step::SignIn, Step::Put, Step::SignOutAccount, Step::Put, Step::Get] {
            steps.push((step, usize::MAX, gap, gap));
        }
        let mut events = simulate(&steps, true);
        // The last write and the last read are of the session that the last sign-in began.
        let last = events.iter().rev().find_map(|event| match event.op {
            Op::SignIn { session, .. } => Some(session),
            _ => None,
        }).unwrap();
        let late = u64::try_from(events.len()).unwrap();
        let count = events.len();
        events[count - 2].op =
            Op::Put { session: last, entry: 0, write: WriteId(late), over: None };
        events[count - 1].op = Op::Get { session: last, entry: 0 };
        events[count - 1].outcome = found(last, late);
        prop_assert!(check(&events, Rules::ALL).broken(Promise::G2) >= 2);
    }
}
