use token_cache_integration_tests::{
    fleet::{Got, RefreshSettings, User},
    history::{Outcome, Rules, Scope},
    servers::StoreKind,
};

use crate::refresh_hazards::common::{
    SERVERS, Stage, assert_all, names, on_every_store, the_same_for_all, wait,
};

on_every_store!(
    a_sign_out_during_a_refresh_ends_it_and_revokes_what_it_minted,
    a_refresh_of_an_ended_session_leaves_the_next_one_alone,
);

fn a_sign_out_during_a_refresh_ends_it_and_revokes_what_it_minted(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    for _ in 0..5 {
        let of = stage.signed_in();
        // Plain tokens beside those that are refreshed, for the checker of the whole history.
        assert_eq!(stage.fleet.put(2, &of.session), Outcome::Done);
        stage.provider.hold();
        let running: Vec<_> = (0..SERVERS)
            .map(|at| stage.begin(at, &of.session))
            .collect();
        stage.provider.wait_until_holding(1).unwrap();
        let out = Scope::Account(of.session.account);
        assert_eq!(stage.fleet.sign_out_scope(3, out).outcome, Outcome::Done);
        let left = names(&stage.store);
        let revocations = stage.provider.counts().revocations;
        stage.provider.release();

        assert_all(&wait(running), &Got::SignedOut);
        assert_eq!(stage.provider.calls_with(&of.first), 1);
        stage
            .provider
            .wait_for_revocations(revocations + 1)
            .unwrap();
        for token in stage.provider.issued() {
            assert!(!stage.provider.is_live(&token));
        }
        stage.assert_ended(&of.session);
        for at in 0..SERVERS {
            let read = stage.fleet.get(at, &of.session).outcome;
            assert_eq!(read, Outcome::SignedOut);
        }
        let came: Vec<_> = names(&stage.store).difference(&left).cloned().collect();
        assert!(came.is_empty(), "stored after the sign-out: {came:?}");
    }
    assert_eq!(stage.provider.counts().reuses, 0);
    stage.fleet.assert_kept(Rules::ALL);
}

fn a_refresh_of_an_ended_session_leaves_the_next_one_alone(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    stage.provider.hold();
    let running: Vec<_> = (0..SERVERS)
        .map(|at| stage.begin(at, &of.session))
        .collect();
    stage.provider.wait_until_holding(1).unwrap();
    let account = of.session.account;
    let out = stage.fleet.sign_out_scope(3, Scope::Account(account));
    assert_eq!(out.outcome, Outcome::Done);
    let next = stage.signs_in(User::new(account));
    let held = stage.read(0, &next.session);
    stage.provider.release();

    assert_all(&wait(running), &Got::SignedOut);
    stage.provider.wait_for_revocations(1).unwrap();
    for at in 0..SERVERS {
        assert_eq!(stage.read(at, &next.session), held, "app server {at}");
    }
    assert!(stage.provider.is_live(&next.first));
    the_same_for_all(&stage.all(&next.session));
    assert_eq!(stage.provider.calls_with(&next.first), 1);
    stage.assert_ended(&of.session);
    stage.fleet.assert_kept(Rules::ALL);
}
