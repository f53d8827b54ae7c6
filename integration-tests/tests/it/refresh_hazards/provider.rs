use std::time::Duration;

use token_cache_integration_tests::{
    fleet::{Got, RefreshSettings, Ticketed},
    servers::{ProviderFault, StoreKind},
};
use tokio::net::TcpSocket;

use crate::refresh_hazards::common::{
    CALLERS, SERVERS, SHORT, Stage, distinct, eventually, on_every_store, the_same_for_all, wait,
};

on_every_store!(
    an_overloaded_provider_is_left_alone_for_as_long_as_it_asks,
    a_provider_that_is_not_there_is_an_error_and_no_sign_out,
    a_provider_that_breaks_connections_is_an_error_and_no_sign_out,
    tokens_that_are_still_valid_are_served_while_the_provider_is_down,
    a_provider_slower_than_the_lease_is_asked_once,
);

fn an_overloaded_provider_is_left_alone_for_as_long_as_it_asks(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    let busy = ProviderFault::Unavailable {
        retry_after: Some(3600),
    };
    stage.provider.always(busy);
    for _ in 0..3 {
        assert_unavailable(&stage.all(&of.session));
    }
    // Each app server has sent one request, and then none for a while.
    let servers = u64::try_from(SERVERS).unwrap();
    let asked = stage.provider.calls_with(&of.first);
    assert!((1..=servers).contains(&asked), "asked {asked} times");
    stage.provider.calm();
    assert_unavailable(&stage.all(&of.session));
    assert_eq!(stage.provider.calls_with(&of.first), asked);
}

fn a_provider_that_is_not_there_is_an_error_and_no_sign_out(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    // Bound but never listening, so connections are refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let nobody = format!("http://{}/token", socket.local_addr().unwrap());
    let running = (0..SERVERS).map(|at| {
        let mut storm = stage.storm();
        storm.token_url.clone_from(&nobody);
        stage.begin_with(at, &of.session, storm)
    });
    assert_unavailable(&wait(running.collect()));
    assert_eq!(stage.provider.counts().refreshes, 0);
    is_back(&stage, &of.session);
}

fn a_provider_that_breaks_connections_is_an_error_and_no_sign_out(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    stage.provider.refuse(true);
    assert_unavailable(&stage.all(&of.session));
    stage.provider.refuse(false);
    is_back(&stage, &of.session);
}

fn tokens_that_are_still_valid_are_served_while_the_provider_is_down(kind: StoreKind) {
    let stage = Stage::of(kind, RefreshSettings::default());
    let of = stage.signed_in();
    let response = stage.provider.sign_in("ada").unwrap();
    // The tokens are in the last tenth of their lifetime, which is an hour.
    stage.keep(1, &of.session, &response, 3400);
    let held = stage.read(1, &of.session);
    stage
        .provider
        .always(ProviderFault::Unavailable { retry_after: None });
    let got = stage.all(&of.session);
    assert_eq!(the_same_for_all(&got), held);
    stage.provider.calm();
    let new = eventually("they are refreshed once it is back", || {
        let got = stage.all(&of.session);
        let all = |got: &Got| got.access_token().is_some();
        assert!(got.iter().all(all), "{:?}", distinct(&got));
        Some(stage.read(1, &of.session)).filter(|read| *read != held)
    });
    assert_eq!(the_same_for_all(&stage.all(&of.session)), new);
    assert_eq!(stage.provider.counts().rotations, 1);
    stage.assert_usable(&of.session);
}

/// Asserts that after the pause all callers get the same new tokens, by one refresh.
fn is_back(stage: &Stage, of: &Ticketed) {
    let got = eventually("the provider is called again", || {
        let got = stage.all(of);
        let failed = |got: &Got| got.failure().is_some();
        (!got.iter().any(failed)).then_some(got)
    });
    the_same_for_all(&got);
    let counts = stage.provider.counts();
    assert_eq!((counts.rotations, counts.reuses), (1, 0));
    stage.assert_usable(of);
}

#[track_caller]
fn assert_unavailable(got: &[Got]) {
    assert_eq!(got.len(), SERVERS * CALLERS);
    let unavailable = |got: &Got| got.failure() == Some("ProviderUnavailable");
    assert!(got.iter().all(unavailable), "{:?}", distinct(got));
}

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
