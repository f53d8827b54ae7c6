use std::time::Duration;

use token_cache_integration_tests::servers::{OwnStore, StoreKind};

use crate::refresh_hazards::common::{
    PATIENT, SERVERS, SHORT, Stage, eventually, names, on_every_store, the_same_for_all, wait,
};

on_every_store!(
    a_holder_that_sleeps_past_its_lease_overwrites_nothing_when_it_wakes,
    a_holder_that_slept_before_it_sent_does_not_send,
);

/// Its answer is waiting when it resumes, and the tokens have been refreshed twice in between.
fn a_holder_that_sleeps_past_its_lease_overwrites_nothing_when_it_wakes(kind: StoreKind) {
    let stage = Stage::of(kind, SHORT);
    stage.provider.grace(Duration::from_secs(3600));
    let of = stage.signed_in();
    stage.provider.hold();
    let sleeping = stage.begin(0, &of.session);
    stage.provider.wait_until_holding(1).unwrap();
    stage.fleet.server(0).pause();
    let others = stage.begin_elsewhere(&of.session);
    stage.provider.release();
    let second = the_same_for_all(&wait(others));
    stage.expire(&of.session);
    let third = the_same_for_all(&wait(stage.begin_elsewhere(&of.session)));
    assert_ne!(second, third);

    stage.fleet.server(0).resume();
    // It has the second refresh token, which is spent.
    assert_eq!(the_same_for_all(&wait(vec![sleeping])), third);
    for at in 0..SERVERS {
        assert_eq!(stage.read(at, &of.session), third, "app server {at}");
    }
    let counts = stage.provider.counts();
    assert_eq!((counts.rotations, counts.graced, counts.reuses), (2, 1, 0));
    stage.assert_usable(&of.session);
}

/// It resumes with an answer that it holds the lock, which is no longer true.
fn a_holder_that_slept_before_it_sent_does_not_send(kind: StoreKind) {
    let store = OwnStore::start(kind).unwrap();
    let line = store.line().unwrap();
    let mut urls = vec![store.url(PATIENT); SERVERS];
    urls[0] = line.url(PATIENT);
    let stage = Stage::on(store, &urls, SHORT);
    let of = stage.signed_in();
    let before = names(&stage.store);
    // The store's answers are so slow that the app server can be paused while the one about the lock is in flight.
    line.delay(Duration::from_secs(1));
    let sleeping = stage.begin(0, &of.session);
    eventually("the lock is taken", || {
        (names(&stage.store) != before).then_some(())
    });
    stage.fleet.server(0).pause();
    line.delay(Duration::ZERO);
    let winner = the_same_for_all(&wait(stage.begin_elsewhere(&of.session)));
    stage.fleet.server(0).resume();
    assert_eq!(the_same_for_all(&wait(vec![sleeping])), winner);
    assert_eq!(stage.provider.calls_with(&of.first), 1);
    assert_eq!(stage.provider.counts().refreshes, 1);
    stage.assert_usable(&of.session);
}
