use token_cache_integration_tests::{
    fleet::NearCacheOutcome,
    history::{Outcome, Rules, Scope},
};

use crate::near_cache::common::{
    NEAR_CACHE, NO_NEAR_CACHES, OnLines, assert_kept, assert_signed_out, eventually, sign_out,
    signed_in, waited_for,
};

#[test]
fn a_server_without_cached_entries_signs_out_where_others_have_them() {
    let servers = OnLines::start(&[NEAR_CACHE, NEAR_CACHE, NO_NEAR_CACHES]);
    let fleet = &servers.fleet;
    let session = servers.cached_at(&[0, 1]);
    let out = sign_out(fleet, 2, &session);
    assert_eq!(waited_for(&out).1, 2);
    assert_signed_out(fleet, &session);
    // And the other direction: no sign-out waits for a server without a near cache.
    let session = servers.cached_at(&[0, 1]);
    assert_eq!(waited_for(&sign_out(fleet, 0, &session)).1, 1);
    assert_signed_out(fleet, &session);
    assert_kept(fleet, Rules::ALL);
}

#[test]
fn without_any_near_cache_a_sign_out_does_not_wait() {
    let servers = OnLines::start(&[NO_NEAR_CACHES; 2]);
    let session = signed_in(&servers.fleet, 0);
    let out = sign_out(&servers.fleet, 1, &session);
    assert_eq!(out.near_caches(), Some(NearCacheOutcome::Unused));
    assert_signed_out(&servers.fleet, &session);
    assert_kept(&servers.fleet, Rules::ALL);
}

/// The store need not contain anything of an account whose sessions have all ended. No scan finds it, but its near-cache entries must be
/// dropped all the same.
#[test]
fn a_sign_out_of_the_issuer_waits_for_cached_entries_that_an_earlier_one_did_not_wait_for() {
    let servers = OnLines::start(&[NEAR_CACHE; 3]);
    let (fleet, silent) = (&servers.fleet, 2);
    let session = servers.cached_at(&[0, 1, silent]);
    servers.lines[silent].freeze_links();
    let account = session.account;
    let early = fleet.sign_out_at_once(0, Scope::Account(account));
    assert_eq!(early.outcome, Outcome::Done);
    let out = fleet.sign_out_scope(1, Scope::Issuer(account.issuer));
    assert!(waited_for(&out).0 >= 1, "{out:?}");
    assert_signed_out(fleet, &session);
    assert_kept(fleet, Rules::ALL);
}

#[test]
fn a_sign_out_that_does_not_wait_is_final_once_the_stated_time_is_over() {
    let servers = OnLines::start(&[NEAR_CACHE; 3]);
    let (fleet, silent) = (&servers.fleet, 2);
    let session = servers.cached_at(&[0, 1, silent]);
    servers.lines[silent].freeze_links();
    let out = fleet.sign_out_at_once(0, Scope::Account(session.account));
    assert_eq!(out.outcome, Outcome::Done);
    let Some(NearCacheOutcome::NotAwaited { cleared_within }) = out.near_caches() else {
        panic!("{out:?}");
    };
    let allowed = crate::near_cache::common::ALLOWED.not_awaited;
    assert!(
        cleared_within.as_millis() <= u128::from(allowed),
        "{cleared_within:?}"
    );
    // Until then the checker applies the stated time to its reads.
    eventually("the silent server refuses the session", || {
        (fleet.get(silent, &session).outcome == Outcome::SignedOut).then_some(())
    });
    assert_signed_out(fleet, &session);
    assert_kept(fleet, Rules::ALL);
}
