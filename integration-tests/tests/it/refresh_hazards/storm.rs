use std::time::Duration;

use token_cache_integration_tests::{fleet::RefreshSettings, servers::StoreKind};

use crate::refresh_hazards::common::{SERVERS, Stage, on_every_store, the_same_for_all, wait};

on_every_store!(
    a_storm_at_an_expiry_is_one_refresh,
    storms_over_several_expiries_spend_each_refresh_token_once,
    callers_that_never_stop_see_one_refresh_an_expiry,
);

const ROUNDS: u64 = 5;

fn a_storm_at_an_expiry_is_one_refresh(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    let winner = the_same_for_all(&stage.all(&of.session));
    let counts = stage.provider.counts();
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    assert_eq!(stage.provider.calls_with(&of.first), 1);
    assert!(stage.provider.is_live(winner.refresh_token().unwrap()));
    for at in 0..SERVERS {
        assert_eq!(stage.read(at, &of.session), winner, "app server {at}");
    }
}

fn storms_over_several_expiries_spend_each_refresh_token_once(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    let mut spent = vec![of.first.clone()];
    for round in 1..=ROUNDS {
        let winner = the_same_for_all(&stage.all(&of.session));
        assert_eq!(stage.provider.counts().refreshes, round);
        spent.push(winner.refresh_token().unwrap().to_owned());
        stage.expire(&of.session);
    }
    let unspent = spent.pop().unwrap();
    for token in spent {
        assert_eq!(stage.provider.calls_with(&token), 1);
    }
    assert_eq!(stage.provider.calls_with(&unspent), 0);
    assert_eq!(stage.provider.counts().reuses, 0);
}

/// Tokens that live for two seconds, and callers that request them continuously: before an expiry and at it.
fn callers_that_never_stop_see_one_refresh_an_expiry(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    stage.provider.lifetime(Duration::from_secs(2));
    let of = stage.signed_in();
    let asking = || {
        let mut storm = stage.storm();
        storm.callers = 10;
        storm.expiries = 4;
        storm
    };
    let running = (0..SERVERS)
        .map(|at| stage.begin_with(at, &of.session, asking()))
        .collect();
    let got = wait(running);
    assert!(
        got.iter().all(|got| got.access_token().is_some()),
        "{got:?}"
    );
    let counts = stage.provider.counts();
    assert_eq!(counts.reuses, 0);
    assert_eq!(counts.refreshes, counts.rotations);
    assert!(counts.rotations >= 4, "{counts:?}");
    for token in stage.provider.issued() {
        let calls = stage.provider.calls_with(&token);
        assert!(calls <= 1, "a refresh token was sent {calls} times");
    }
}
