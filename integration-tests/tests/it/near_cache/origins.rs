use token_cache_integration_tests::history::{Outcome, Rules};

use crate::near_cache::common::{
    NEAR_CACHE, OnLines, assert_kept, assert_signed_out, eventually, failed, signing_out,
};

/// Its wait continues when it resumes. Leases that ended during the pause have ended.
#[test]
fn an_origin_that_pauses_while_it_waits_is_right_when_it_resumes() {
    let servers = OnLines::start(&[NEAR_CACHE; 3]);
    let (fleet, silent) = (&servers.fleet, 2);
    let session = servers.cached_at(&[0, 1, silent]);
    servers.lines[silent].freeze_links();
    let sign_out = fleet.begin(0, signing_out(&session));
    // The store has ended the session, and a server that received the message refuses it.
    let refused = |at| {
        eventually("an app server refuses the session", || {
            (fleet.get(at, &session).outcome == Outcome::SignedOut).then_some(())
        });
    };
    refused(1);
    fleet.server(0).pause();
    // The silent server's lease ends regardless of the origin.
    refused(silent);
    fleet.server(0).resume();
    assert!(!failed(&sign_out.wait().outcome));
    assert_signed_out(fleet, &session);
    assert_kept(fleet, Rules::ALL);
}

#[test]
fn two_simultaneous_sign_outs_of_the_same_and_other_accounts_both_wait_for_all_servers() {
    let servers = OnLines::start(&[NEAR_CACHE; 4]);
    let (fleet, silent) = (&servers.fleet, 3);
    for falls_silent in [false, true] {
        let sessions: Vec<_> = (0..3)
            .map(|_| servers.cached_at(&[0, 1, 2, silent]))
            .collect();
        if falls_silent {
            servers.lines[silent].freeze_links();
        }
        let sign_outs: Vec<_> = sessions
            .iter()
            .flat_map(|session| [(0, session), (1, session), (2, session)])
            .map(|(at, session)| fleet.begin(at, signing_out(session)))
            .collect();
        for sign_out in sign_outs {
            let answer = sign_out.wait();
            assert!(!failed(&answer.outcome), "{answer:?}");
        }
        for session in &sessions {
            assert_signed_out(fleet, session);
        }
    }
    assert_kept(fleet, Rules::ALL);
}
