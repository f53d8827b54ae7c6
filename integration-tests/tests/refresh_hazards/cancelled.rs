use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Got, RefreshSettings},
    servers::StoreKind,
};

use crate::common::{Stage, eventually, on_every_store, the_same_for_all};

on_every_store!(what_the_provider_answered_is_stored_whenever_its_caller_goes_away);

/// More than a caller is ever polled.
const MANY: usize = 200;

/// Each caller is polled once more than the one before, until one stays long enough to get its tokens.
fn what_the_provider_answered_is_stored_whenever_its_caller_goes_away(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    // Callers are gone before the answer comes.
    stage.provider.answers_after(Duration::from_millis(100));
    let mut gone = Vec::new();
    loop {
        let of = stage.signed_in();
        let mut storm = stage.storm();
        storm.callers = 1;
        storm.polls = Some(gone.len());
        let caller = stage.begin_with(0, &of.session, storm).wait().unwrap();
        if caller[0].got.access_token().is_some() {
            break;
        }
        assert_eq!(caller[0].got, Got::Nothing);
        gone.push(of);
        assert!(gone.len() < MANY, "no caller ever gets its tokens");
    }
    let stored = eventually("a refresh goes on without its caller", || {
        gone.iter().find(|of| {
            let read = stage.read(2, &of.session);
            read.refresh_token() != Some(&of.first)
        })
    });
    assert_eq!(stage.provider.calls_with(&stored.first), 1);
    for (polls, of) in gone.iter().enumerate() {
        the_same_for_all(&stage.all(&of.session));
        let calls = stage.provider.calls_with(&of.first);
        assert_eq!(calls, 1, "after {polls} polls");
    }
    stage.assert_usable(&gone[0].session);
    assert_eq!(stage.provider.counts().reuses, 0);
}
