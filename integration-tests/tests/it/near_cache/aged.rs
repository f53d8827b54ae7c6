use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Fleet, NearCacheOutcome},
    history::{NearCacheRules, Outcome, Rules, Scope},
    servers::{OwnStore, StoreKind},
};

use crate::near_cache::common::{
    NO_NEAR_CACHES, assert_copied, assert_signed_out, eventually, program, sign_out, signed_in,
};

const AGE: Duration = Duration::from_millis(500);

/// If servers cannot send each other messages, near-cache entries expire by age alone.
#[test]
fn without_a_backplane_a_sign_out_waits_until_cached_entries_have_died_of_age() {
    let store = OwnStore::start(StoreKind::DynamoDb).unwrap();
    let line = store.line().unwrap();
    let keeps = format!("near_cache={}ms&{NO_NEAR_CACHES}", AGE.as_millis());
    let urls = [line.url(&keeps), store.url(NO_NEAR_CACHES)];
    let fleet = Fleet::start(program(), &urls).unwrap();
    for origin in [1, 0] {
        let session = signed_in(&fleet, 1);
        assert_copied(&fleet, 0, &session, || line.requests());
        let out = sign_out(&fleet, origin, &session);
        let Some(NearCacheOutcome::Cleared { waited, .. }) = out.near_caches() else {
            panic!("{out:?}");
        };
        assert!(waited >= AGE, "it waited {waited:?}");
        assert_signed_out(&fleet, &session);
    }
    let session = signed_in(&fleet, 1);
    assert_copied(&fleet, 0, &session, || line.requests());
    let out = fleet.sign_out_at_once(1, Scope::Account(session.account));
    assert!(matches!(
        out.near_caches(),
        Some(NearCacheOutcome::NotAwaited { .. })
    ));
    eventually("the near-cache entry has expired", || {
        let read = fleet.get(0, &session).outcome;
        (read == Outcome::SignedOut).then_some(())
    });
    let report = fleet.assert_kept(Rules::ALL.with_near_cache(NearCacheRules {
        not_awaited: 515,
        outdated: 500,
    }));
    assert_eq!(report.staleness.after_sign_out, Duration::ZERO);
}
