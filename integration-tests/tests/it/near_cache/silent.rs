use token_cache_integration_tests::history::Rules;

use crate::near_cache::common::{
    NEAR_CACHE, OnLines, assert_kept, assert_signed_out_at, eventually, sign_out, signed_in,
    waited_for,
};

const ORIGIN: usize = 0;
const HEALTHY: usize = 1;

/// The way in which a server with a near cache falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// Its backplane connection is closed, and new ones are refused.
    BackplaneCut,
    /// No data passes on its backplane, and neither end is notified.
    BackplaneHalfOpen,
    Paused,
    Killed,
}

impl Silence {
    fn falls(self, servers: &OnLines, at: usize) {
        match self {
            Self::BackplaneCut => servers.lines[at].refuse_links(true),
            Self::BackplaneHalfOpen => servers.lines[at].freeze_links(),
            Self::Paused => servers.fleet.server(at).pause(),
            Self::Killed => servers.fleet.server(at).kill9(),
        }
    }

    fn ends(self, servers: &OnLines, at: usize) {
        match self {
            Self::BackplaneCut => servers.lines[at].refuse_links(false),
            Self::BackplaneHalfOpen => servers.lines[at].thaw_links(),
            Self::Paused => servers.fleet.server(at).resume(),
            Self::Killed => {}
        }
    }
}

#[test]
fn a_server_that_falls_silent_costs_a_sign_out_one_lease_and_the_next_ones_nothing() {
    let servers = OnLines::start(&[NEAR_CACHE; 6]);
    let fleet = &servers.fleet;
    let silences = [
        (2, Silence::BackplaneCut),
        (3, Silence::BackplaneHalfOpen),
        (4, Silence::Paused),
        (5, Silence::Killed),
    ];
    for (at, silence) in silences {
        let session = servers.cached_at(&[ORIGIN, HEALTHY, at]);
        silence.falls(&servers, at);
        let (silent, of) = waited_for(&sign_out(fleet, ORIGIN, &session));
        assert!(silent >= 1, "{silence:?}: {silent} of {of} were silent");
        assert_signed_out_at(fleet, [ORIGIN, HEALTHY], &session);
        // Sign-outs stop waiting for it: soon every server that they wait for acknowledges, although this one is still silent.
        eventually("sign-outs wait for no silent server", || {
            let next = signed_in(fleet, ORIGIN);
            let (silent, _) = waited_for(&sign_out(fleet, ORIGIN, &next));
            (silent == 0).then_some(())
        });
        silence.ends(&servers, at);
        if silence != Silence::Killed {
            assert_signed_out_at(fleet, [at], &session);
            // It is back, with a lease.
            let session = signed_in(fleet, ORIGIN);
            servers.assert_copied(at, &session);
            assert!(waited_for(&sign_out(fleet, ORIGIN, &session)).1 >= 2);
            assert_signed_out_at(fleet, [ORIGIN, HEALTHY, at], &session);
        }
    }
    assert_kept(fleet, Rules::ALL);
}
