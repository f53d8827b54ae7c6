use std::time::Duration;

use token_cache_integration_tests::servers::StoreKind;

use crate::common::{SHORT, Stage, on_every_store, the_same_for_all};

on_every_store!(a_provider_slower_than_the_lease_is_asked_once);

fn a_provider_slower_than_the_lease_is_asked_once(kind: StoreKind) {
    let stage = Stage::of(kind, SHORT);
    let of = stage.signed_in();
    stage.provider.answers_after(Duration::from_secs(10));
    the_same_for_all(&stage.all(&of.session));
    let counts = stage.provider.counts();
    assert_eq!((counts.refreshes, counts.reuses), (1, 0));
    stage.provider.answers_after(Duration::ZERO);
    stage.assert_usable(&of.session);
}
