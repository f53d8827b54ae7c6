use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Got, RefreshSettings},
    servers::{Fault, Line, OwnStore, Step, StoreKind},
};

use crate::refresh_hazards::common::{
    PATIENT, SERVERS, Stage, distinct, eventually, on_every_store, the_same_for_all, wait,
};

on_every_store!(
    a_write_back_that_never_arrived_is_sent_again,
    a_write_back_whose_answer_was_lost_is_found_stored,
    a_write_back_waits_for_a_store_that_is_gone,
);

/// Long enough that no renewal occurs between an answer and its write-back.
const LONG: RefreshSettings = RefreshSettings {
    lease: Some(Duration::from_secs(60)),
    lost_answer_ends_session: false,
};

fn a_write_back_that_never_arrived_is_sent_again(kind: StoreKind) {
    breaking_at_the_write_back(kind, Fault::CutRequest);
}

fn a_write_back_whose_answer_was_lost_is_found_stored(kind: StoreKind) {
    breaking_at_the_write_back(kind, Fault::DropReply);
}

fn breaking_at_the_write_back(kind: StoreKind, fault: Fault) {
    let (stage, line) = on_a_line(OwnStore::start(kind).unwrap());
    let of = stage.signed_in();
    stage.provider.hold();
    let mut running = vec![stage.begin(0, &of.session)];
    stage.provider.wait_until_holding(1).unwrap();
    running.extend(stage.begin_elsewhere(&of.session));
    line.on_next(Step::Change, fault);
    stage.provider.release();
    let winner = the_same_for_all(&wait(running));
    assert_eq!(line.faults(), 1);
    let counts = stage.provider.counts();
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    assert_eq!(stage.read(2, &of.session), winner);
    stage.assert_usable(&of.session);
}

/// Callers on other servers get an error. The lock's holder has tokens that cannot be fetched again, and continues to write.
fn a_write_back_waits_for_a_store_that_is_gone(kind: StoreKind) {
    let (mut stage, _line) = on_a_line(OwnStore::persistent(kind).unwrap());
    let of = stage.signed_in();
    stage.provider.hold();
    let holder = stage.begin(0, &of.session);
    stage.provider.wait_until_holding(1).unwrap();
    let others = stage.begin_elsewhere(&of.session);
    stage.store.kill9().unwrap();
    stage.provider.release();
    // Once a read has failed repeatedly in the same app server, the write-back has failed as well.
    for _ in 0..20 {
        assert!(stage.read(0, &of.session).failure().is_some());
    }
    stage.store.restart().unwrap();

    // Only the first of its callers has certainly read before the store was lost.
    let at_holder = wait(vec![holder]);
    let winner = at_holder
        .iter()
        .find(|got| got.access_token().is_some())
        .unwrap_or_else(|| panic!("no caller got the tokens: {:?}", distinct(&at_holder)))
        .clone();
    for got in at_holder.into_iter().chain(wait(others)) {
        let failed = matches!(got.failure(), Some("Unavailable" | "TimedOut"));
        assert!(failed || got == winner, "{got:?}");
    }
    let got = eventually("every app server reaches the store again", || {
        let got = stage.all(&of.session);
        let failed = |got: &Got| got.failure().is_some();
        (!got.iter().any(failed)).then_some(got)
    });
    assert_eq!(the_same_for_all(&got), winner, "{:?}", distinct(&got));
    let counts = stage.provider.counts();
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    stage.assert_usable(&of.session);
}

/// Starts a stage in which the first app server has a connection of its own to the store.
fn on_a_line(store: OwnStore) -> (Stage, Line) {
    let line = store.line().unwrap();
    let mut urls = vec![store.url(PATIENT); SERVERS];
    urls[0] = line.url(PATIENT);
    (Stage::on(store, &urls, LONG), line)
}
