use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Got, RefreshSettings},
    servers::StoreKind,
};

use crate::refresh_hazards::common::{
    SignedIn, Stage, eventually, on_every_store, the_same_for_all,
};

on_every_store!(the_answer_of_the_provider_is_stored_whenever_its_caller_is_dropped);

/// More callers than the test ever needs.
const MANY: usize = 200;

/// Each caller is polled once more than the one before, and once less after one that stayed long enough to get its tokens. The number of
/// polls of a read depends on whether its connection was open already. Callers are therefore dropped at each step, until the refresh of
/// one of them has reached the provider.
fn the_answer_of_the_provider_is_stored_whenever_its_caller_is_dropped(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    // Callers are dropped before the answer arrives.
    stage.provider.answers_after(Duration::from_millis(100));
    let mut gone: Vec<SignedIn> = Vec::new();
    let mut polls = 0;
    let asked = |of: &&SignedIn| stage.provider.calls_with(&of.first) > 0;
    for _ in 0..MANY {
        let of = stage.signed_in();
        let mut storm = stage.storm();
        storm.callers = 1;
        storm.polls = Some(polls);
        let caller = stage.begin_with(0, &of.session, storm).wait().unwrap();
        if caller[0].got.access_token().is_some() {
            polls -= 1;
        } else {
            assert_eq!(caller[0].got, Got::Nothing);
            polls += 1;
            gone.push(of);
        }
        if gone.iter().any(|of| asked(&of)) {
            break;
        }
    }
    let asked = gone.iter().find(asked);
    let asked = asked.expect("no caller was dropped while its refresh was in flight");
    eventually("a refresh continues without its caller", || {
        let read = stage.read(2, &asked.session);
        (read.refresh_token() != Some(&asked.first)).then_some(())
    });
    for (at, of) in gone.iter().enumerate() {
        the_same_for_all(&stage.all(&of.session));
        let calls = stage.provider.calls_with(&of.first);
        assert_eq!(calls, 1, "caller {at}");
    }
    stage.assert_usable(&asked.session);
    assert_eq!(stage.provider.counts().reuses, 0);
}
