use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

use token_cache_integration_tests::{
    fleet::{Got, Pending, RefreshSettings, Refreshed, Ticketed},
    servers::StoreKind,
};

use crate::refresh_hazards::common::{
    SHORT, Stage, assert_all, eventually, on_every_store, the_same_for_all, wait,
};

on_every_store!(
    a_holder_that_dies_before_it_sends_leaves_the_refresh_to_another,
    a_holder_that_dies_after_it_has_sent_costs_one_more_call_within_the_grace,
    a_holder_that_dies_after_it_has_sent_costs_the_session_where_there_is_no_grace,
    a_holder_that_dies_after_it_has_sent_ends_the_session_where_that_is_asked_for,
);

fn a_holder_that_dies_before_it_sends_leaves_the_refresh_to_another(kind: StoreKind) {
    let stage = Stage::of(kind, SHORT);
    let of = stage.signed_in();
    // The request of the lock's holder never reaches the provider.
    let nowhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut storm = stage.storm();
    storm.token_url = format!("http://{}/token", nowhere.local_addr().unwrap());
    let lost = stage.begin_with(0, &of.session, storm);
    let connection = accepted(&nowhere);
    let others = stage.begin_elsewhere(&of.session);
    stage.fleet.server(0).kill9();
    drop(connection);
    assert!(lost.wait().is_none());

    the_same_for_all(&wait(others));
    let counts = stage.provider.counts();
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    stage.revive(0).assert_usable(&of.session);
}

fn a_holder_that_dies_after_it_has_sent_costs_one_more_call_within_the_grace(kind: StoreKind) {
    let stage = Stage::of(kind, SHORT);
    stage.provider.grace(Duration::from_secs(3600));
    let of = stage.signed_in();
    let others = killed_after_it_has_sent(&stage, &of.session);
    the_same_for_all(&wait(others));
    let counts = stage.provider.counts();
    // Counted as graced: the token was sent twice, because a lock's holder was killed after it had sent it.
    assert_eq!((counts.refreshes, counts.graced), (2, 1));
    assert_eq!((counts.rotations, counts.reuses), (1, 0));
    stage.revive(0).assert_usable(&of.session);
}

fn a_holder_that_dies_after_it_has_sent_costs_the_session_where_there_is_no_grace(kind: StoreKind) {
    let stage = Stage::of(kind, SHORT);
    let of = stage.signed_in();
    let others = killed_after_it_has_sent(&stage, &of.session);
    assert_all(&wait(others), &Got::SignedOut);
    let counts = stage.provider.counts();
    // This is the only reuse that the cache cannot avoid, and it counts as one.
    assert_eq!((counts.refreshes, counts.reuses), (2, 1));
    stage.revive(0).assert_ended(&of.session);
}

fn a_holder_that_dies_after_it_has_sent_ends_the_session_where_that_is_asked_for(kind: StoreKind) {
    let settings = RefreshSettings {
        lost_answer_ends_session: true,
        ..SHORT
    };
    let stage = Stage::of(kind, settings);
    stage.provider.grace(Duration::from_secs(3600));
    let of = stage.signed_in();
    let others = killed_after_it_has_sent(&stage, &of.session);
    assert_all(&wait(others), &Got::SignedOut);
    assert_eq!(stage.provider.calls_with(&of.first), 1);
    let stage = stage.revive(0);
    stage.assert_ended(&of.session);
    // If no process is killed, no session ends.
    let next = stage.signed_in();
    the_same_for_all(&stage.all(&next.session));
    stage.assert_usable(&next.session);
}

/// Kills the first app server while it waits for the provider's answer. A storm is in progress in the others.
fn killed_after_it_has_sent(stage: &Stage, of: &Ticketed) -> Vec<Pending<Vec<Refreshed>>> {
    stage.provider.hold();
    let lost = stage.begin(0, of);
    stage.provider.wait_until_holding(1).unwrap();
    let others = stage.begin_elsewhere(of);
    stage.fleet.server(0).kill9();
    assert!(lost.wait().is_none());
    stage.provider.release();
    others
}

fn accepted(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    eventually("the holder connects", || match listener.accept() {
        Ok((connection, _)) => Some(connection),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    })
}
