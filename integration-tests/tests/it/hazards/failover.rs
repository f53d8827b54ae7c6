use token_cache_integration_tests::{
    fleet::{Fleet, Ticketed, User},
    history::{Outcome, Promise, Rules, check},
    servers::{RedisOptions, ReplicatedRedis},
};

use crate::hazards::common::{
    PATIENT, assert_found, assert_signed_out, eventually, failed, fleet_at, settled,
    sign_out_account, signed_in, with,
};

/// Long enough for a replica to confirm, also on a busy machine. A missing replica costs the whole time.
const CONFIRMED: &str = "replicas=1&operation_timeout=3s&connect_timeout=5s";

/// Returns a primary whose replica confirms writes. For a second after it has caught up it may not.
pub(crate) fn replicated() -> ReplicatedRedis {
    let pair = ReplicatedRedis::start(RedisOptions::default()).unwrap();
    eventually("the replica confirms", || {
        let confirmed = pair.primary().cli(&["WAIT", "1", "100"]).unwrap();
        (confirmed.int() == Some(1)).then_some(())
    });
    pair
}

/// The behaviour is documented, not promised. `replicas` prevents it.
#[test]
fn a_failover_to_a_replica_that_lost_the_sign_out_brings_the_session_back() {
    let mut pair = replicated();
    let url = with(&pair.primary().url(), PATIENT);
    let mut fleet = fleet_at(&[url.clone(), url]);
    let session = signed_in(&fleet, 0, User::new(fleet.account()));
    pair.wait_until_in_step().unwrap();
    let out = pair
        .lose(|_| sign_out_account(&fleet, 1, &session))
        .unwrap();
    assert_eq!(out, Outcome::Done);
    pair.promote().unwrap();
    let on_new_primary = fleet.join(with(&pair.replica().url(), PATIENT)).unwrap();
    assert_found(&fleet.get(on_new_primary, &session));
    assert!(check(&fleet.history(), Rules::ALL).broken(Promise::G1) > 0);
}

#[test]
fn a_sign_out_that_its_replica_did_not_confirm_is_no_ok() {
    let mut pair = replicated();
    let url = with(&pair.primary().url(), CONFIRMED);
    let mut fleet = fleet_at(&[url.clone(), url]);
    let session = signed_in_patiently(&fleet);
    pair.wait_until_in_step().unwrap();
    let out = pair
        .lose(|_| sign_out_account(&fleet, 1, &session))
        .unwrap();
    assert!(
        matches!(out, Outcome::Failed { maybe: true, .. }),
        "{out:?}"
    );
    pair.promote().unwrap();
    // The session is valid again, and no caller was told that it had ended: the sign-out is repeated until it is `Ok`.
    let on_new_primary = fleet.join(with(&pair.replica().url(), PATIENT)).unwrap();
    assert_found(&fleet.get(on_new_primary, &session));
    assert_eq!(
        sign_out_account(&fleet, on_new_primary, &session),
        Outcome::Done
    );
    assert_eq!(
        fleet.get(on_new_primary, &session).outcome,
        Outcome::SignedOut
    );
    fleet.assert_kept(Rules::LOSING);
}

#[test]
fn a_sign_out_asked_again_is_ok_once_the_replica_has_it() {
    let pair = replicated();
    let url = with(&pair.primary().url(), CONFIRMED);
    let fleet = fleet_at(&[url.clone(), url]);
    let session = signed_in_patiently(&fleet);
    pair.cut_replica_off().unwrap();
    let out = fleet.sign_out(1, &session);
    assert!(
        matches!(out, Outcome::Failed { maybe: true, .. }),
        "{out:?}"
    );
    pair.rejoin().unwrap();
    let out = settled(|| fleet.sign_out(0, &session));
    assert!(
        matches!(out, Outcome::Done | Outcome::EndedNothing),
        "{out:?}"
    );
    assert_signed_out(&fleet, &session);
    fleet.assert_kept(Rules::ALL);
}

/// With short time-outs a busy machine may make a sign-in or a write fail. It is repeated, as in an app.
fn signed_in_patiently(fleet: &Fleet) -> Ticketed {
    let user = User::new(fleet.account());
    let session = eventually("a sign-in works", || match fleet.sign_in(0, user) {
        Ok(session) => Some(session),
        Err(outcome) => {
            assert!(failed(&outcome), "{outcome:?}");
            None
        }
    });
    assert_eq!(settled(|| fleet.put(0, &session)), Outcome::Done);
    session
}
