//! The scenarios.

use super::scenario::{Fault, Lacks, NearCacheScenario, ServerSetup, SignOutAct, Start};

/// Returns all scenarios, those with the most states first: a parallel exploration then finishes sooner.
pub fn all() -> Vec<NearCacheScenario> {
    vec![
        failover(),
        two_servers_with_leases(),
        undisturbed(),
        two_at_once(),
        backplane_lost(),
        two_origins(),
        answer_lost(),
        server_dead_for_a_while(),
        cluster(),
        registry_lost(),
        eviction_lost(),
        split_brain(),
        refresh(),
        no_backplane(),
        first_near_cache(),
    ]
}

/// A server without a near cache that signs out and has a fast clock, and a server with a near cache and a slow clock.
fn two() -> Vec<ServerSetup> {
    vec![without_near_cache(1), with_near_cache(-1)]
}

const fn with_near_cache(rate: i32) -> ServerSetup {
    ServerSetup {
        near_caches: true,
        rate,
    }
}

const fn without_near_cache(rate: i32) -> ServerSetup {
    ServerSetup {
        near_caches: false,
        rate,
    }
}

const fn sign_out(by: usize, account: usize) -> SignOutAct {
    SignOutAct {
        by,
        account,
        after: None,
    }
}

const fn after(before: usize, by: usize, account: usize) -> SignOutAct {
    SignOutAct {
        by,
        account,
        after: Some(before),
    }
}

fn scenario(
    name: &'static str,
    servers: Vec<ServerSetup>,
    sign_outs: Vec<SignOutAct>,
) -> NearCacheScenario {
    NearCacheScenario {
        name,
        servers,
        start: Start::Settled,
        sign_outs,
        reads: vec![(1, 0)],
        writes: Vec::new(),
        loses: vec![1],
        ticks: None,
        faults: 0,
        fault_first: false,
        kinds: Vec::new(),
        cluster: false,
        wrong: None,
    }
}

fn undisturbed() -> NearCacheScenario {
    NearCacheScenario {
        ticks: Some(1),
        reads: vec![(1, 0), (2, 1)],
        ..scenario(
            "two accounts, three servers, nothing goes wrong",
            vec![
                without_near_cache(1),
                with_near_cache(-1),
                with_near_cache(0),
            ],
            vec![sign_out(0, 0), sign_out(2, 1)],
        )
    }
}

/// Two servers with leases, and two sign-outs of another server, one after the other.
fn two_servers_with_leases() -> NearCacheScenario {
    NearCacheScenario {
        reads: vec![(1, 0), (2, 1)],
        faults: 1,
        kinds: vec![Fault::BackplaneLost],
        ..scenario(
            "two accounts, three servers, a backplane lost",
            vec![
                without_near_cache(1),
                with_near_cache(-1),
                with_near_cache(0),
            ],
            vec![sign_out(0, 0), after(0, 2, 1)],
        )
    }
}

/// Two simultaneous sign-outs of accounts in one server's near cache.
fn two_at_once() -> NearCacheScenario {
    NearCacheScenario {
        reads: vec![(1, 0), (1, 1)],
        faults: 1,
        kinds: vec![Fault::BackplaneLost],
        ..scenario(
            "two accounts at once, three servers, a backplane lost",
            vec![
                without_near_cache(1),
                with_near_cache(-1),
                without_near_cache(0),
            ],
            vec![sign_out(0, 0), sign_out(2, 1)],
        )
    }
}

fn backplane_lost() -> NearCacheScenario {
    NearCacheScenario {
        faults: 1,
        kinds: vec![Fault::BackplaneLost],
        ..scenario("a sign-out, a backplane lost", two(), vec![sign_out(0, 0)])
    }
}

fn two_origins() -> NearCacheScenario {
    NearCacheScenario {
        reads: vec![(0, 0), (1, 0)],
        ..scenario(
            "two servers sign the same account out",
            vec![with_near_cache(1), with_near_cache(-1)],
            vec![sign_out(0, 0), sign_out(1, 0)],
        )
    }
}

fn answer_lost() -> NearCacheScenario {
    NearCacheScenario {
        faults: 2,
        kinds: vec![Fault::AnswerLost, Fault::BackplaneLost],
        ..scenario("a sign-out, its answer lost", two(), vec![sign_out(0, 0)])
    }
}

fn server_dead_for_a_while() -> NearCacheScenario {
    NearCacheScenario {
        reads: vec![(1, 1)],
        faults: 1,
        fault_first: true,
        kinds: vec![Fault::BackplaneLost],
        ..scenario(
            "one after the other, a server dead for a while",
            two(),
            vec![sign_out(0, 0), after(0, 0, 0), after(1, 0, 1)],
        )
    }
}

fn cluster() -> NearCacheScenario {
    NearCacheScenario {
        cluster: true,
        faults: 1,
        kinds: vec![Fault::BackplaneLost, Fault::AnswerLost],
        ..scenario(
            "cluster: a sign-out in two requests",
            two(),
            vec![sign_out(0, 0)],
        )
    }
}

fn registry_lost() -> NearCacheScenario {
    NearCacheScenario {
        faults: 1,
        kinds: vec![Fault::RegistryLost],
        ..scenario("a registry lost", two(), vec![sign_out(0, 0)])
    }
}

fn failover() -> NearCacheScenario {
    NearCacheScenario {
        faults: 1,
        fault_first: true,
        kinds: vec![Fault::Failover(Lacks::NearCacheLease(1))],
        ..scenario(
            "a failover",
            vec![
                without_near_cache(1),
                with_near_cache(-1),
                with_near_cache(0),
            ],
            vec![sign_out(0, 0)],
        )
    }
}

fn eviction_lost() -> NearCacheScenario {
    let lacks = [
        Lacks::Nothing,
        Lacks::NearCacheLease(1),
        Lacks::Registry,
        Lacks::Evictions,
    ];
    NearCacheScenario {
        faults: 1,
        kinds: lacks.map(Fault::Failover).to_vec(),
        ..scenario("a failover, an eviction lost", two(), vec![sign_out(0, 0)])
    }
}

fn split_brain() -> NearCacheScenario {
    NearCacheScenario {
        start: Start::Split,
        faults: 1,
        kinds: vec![Fault::BackplaneLost],
        ..scenario("split brain", two(), vec![sign_out(0, 0)])
    }
}

fn refresh() -> NearCacheScenario {
    NearCacheScenario {
        writes: vec![(1, 0)],
        ..scenario("a refresh writes back", two(), vec![sign_out(0, 0)])
    }
}

fn no_backplane() -> NearCacheScenario {
    NearCacheScenario {
        start: Start::NoBackplane,
        reads: vec![(0, 0), (1, 0)],
        ..scenario(
            "no backplane: a maximum age",
            two(),
            vec![sign_out(0, 0), sign_out(1, 1)],
        )
    }
}

fn first_near_cache() -> NearCacheScenario {
    NearCacheScenario {
        start: Start::Unsaid,
        ..scenario(
            "the first server with a near cache",
            vec![without_near_cache(1), with_near_cache(-1)],
            vec![sign_out(0, 0)],
        )
    }
}
