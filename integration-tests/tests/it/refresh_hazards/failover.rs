use std::time::{Duration, Instant};

use token_cache_integration_tests::{
    fleet::{Got, Storm},
    servers::{RedisOptions, SentinelSetup},
};

use crate::refresh_hazards::common::{SERVERS, SHORT, Stage, eventually, wait};

/// The old primary is up, and accepts writes until it is demoted.
const SESSIONS: usize = 8;

/// A provider with strict rotation receives no refresh token twice, whichever primary the app servers use.
#[test]
fn a_failover_by_sentinels_has_no_refresh_token_sent_twice() {
    let setup = SentinelSetup::start(RedisOptions::default()).unwrap();
    let sentinels: Vec<String> = setup.sentinels().iter().map(ToString::to_string).collect();
    let (sentinels, service) = (sentinels.join(","), SentinelSetup::SERVICE);
    let parameters = "replicas=1&operation_timeout=1s&connect_timeout=1s";
    let urls = vec![format!("redis+sentinel://{sentinels}/{service}?{parameters}"); SERVERS];
    let stage = Stage::on(setup, &urls, SHORT);
    // Stored tokens are due at once, so each request refreshes.
    stage.provider.lifetime(Duration::from_secs(1));
    let sessions: Vec<_> = (0..SESSIONS).map(|_| stage.signed_in()).collect();
    let storm = || Storm {
        callers: 2,
        ..stage.storm()
    };
    let round = || {
        let running = sessions
            .iter()
            .flat_map(|of| (0..SERVERS).map(move |at| (at, of)))
            .map(|(at, of)| stage.begin_with(at, &of.session, storm()));
        wait(running.collect())
    };
    let tokens = |got: &[Got]| {
        got.iter()
            .filter(|got| got.access_token().is_some())
            .count()
    };
    assert!(
        tokens(&round()) > 0,
        "nothing is refreshed before the failover"
    );

    stage.store.ask_for_failover().unwrap();
    let start = Instant::now();
    let demoted = || stage.store.servers().primary().role().as_deref() == Some("slave");
    while !demoted() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the old primary is not demoted"
        );
        let got = round();
        let ended = got.iter().filter(|got| **got == Got::SignedOut).count();
        assert_eq!(ended, 0, "sessions ended: {:?}", stage.provider.counts());
    }

    // The old primary confirms the writes of the new one from now on.
    for of in &sessions {
        eventually("every session is refreshed again", || {
            let got = wait(vec![stage.begin_with(0, &of.session, storm())]);
            (tokens(&got) == got.len()).then_some(())
        });
        let held = stage.read(1, &of.session);
        assert!(stage.provider.is_live(held.refresh_token().unwrap()));
    }
    let counts = stage.provider.counts();
    assert_eq!(
        (counts.reuses, counts.revoked_families),
        (0, 0),
        "a spent refresh token was sent again: {counts:?}"
    );
}
