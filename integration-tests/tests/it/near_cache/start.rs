use std::time::{Duration, Instant};

use token_cache_integration_tests::history::Rules;

use crate::near_cache::common::{
    NEAR_CACHE, NO_NEAR_CACHES, OnLines, assert_kept, assert_signed_out, sign_out, signed_in,
    waited_for,
};

/// How long a server may rely on what it knows about the use of near caches.
const UNAWARE: Duration = Duration::from_secs(3);

#[test]
fn a_new_server_serves_cached_entries_once_every_server_must_know_of_its_near_cache() {
    let mut servers = OnLines::start(&[NO_NEAR_CACHES]);
    let session = signed_in(&servers.fleet, 0);
    let starts = Instant::now();
    let url = format!("{}/?{NEAR_CACHE}", servers.lines[0].url());
    let started = servers.fleet.join(url).unwrap();
    servers.assert_copied(started, &session);
    let after = starts.elapsed();
    assert!(
        after >= UNAWARE,
        "it served a near-cache entry after {after:?}"
    );
    // The first server knows of it by then.
    assert_eq!(waited_for(&sign_out(&servers.fleet, 0, &session)).1, 1);
    assert_signed_out(&servers.fleet, &session);
    assert_kept(&servers.fleet, Rules::ALL);
}
