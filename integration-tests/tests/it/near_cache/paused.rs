use token_cache_integration_tests::{
    fleet::Fleet,
    history::{Outcome, Rules},
};

use crate::near_cache::common::{
    NEAR_CACHE, OnLines, assert_kept, eventually, failed, sign_out, waited_for,
};

/// Requests to a paused server are answered when it resumes, and its lease has ended then: each read checks the clock as its last step.
/// Only a read that had already checked, and was being sent when the server was paused, may still arrive. It began before the sign-out
/// returned.
#[test]
fn a_server_that_slept_past_its_lease_serves_nothing_when_it_wakes() {
    let servers = OnLines::start(&[NEAR_CACHE; 2]);
    let fleet = &servers.fleet;
    for _ in 0..3 {
        let session = servers.cached_at(&[0, 1]);
        fleet.server(1).pause();
        let reads: Vec<_> = (0..20)
            .map(|_| fleet.begin(1, Fleet::getting(&session)))
            .collect();
        let (silent, servers) = waited_for(&sign_out(fleet, 0, &session));
        assert_eq!((silent, servers), (1, 1));
        fleet.server(1).resume();
        for read in reads {
            let read = read.wait().outcome;
            assert!(read == Outcome::SignedOut || failed(&read), "{read:?}");
        }
        eventually("it refuses the session", || {
            (fleet.get(1, &session).outcome == Outcome::SignedOut).then_some(())
        });
    }
    assert_kept(fleet, Rules::ALL);
}
