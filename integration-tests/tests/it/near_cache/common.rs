use std::time::{Duration, Instant};

use token_cache_integration_tests::{
    fleet::{Answer, Fleet, NearCacheOutcome, Program, Task, Ticketed, User},
    history::{NearCacheRules, Op, Outcome, Rules, Scope},
    servers::{Proxy, RedisOptions, RedisServer},
};

/// An upper limit for any condition. It is never reached if everything works.
const GUARD: Duration = Duration::from_secs(40);

/// Parameters of an app server with a near cache.
pub(crate) const NEAR_CACHE: &str =
    "near_cache=60s&lease=1s&operation_timeout=5s&connect_timeout=5s";
/// Parameters of an app server without a near cache.
pub(crate) const NO_NEAR_CACHES: &str = "operation_timeout=5s&connect_timeout=5s";

/// The rules for these near caches: a lease and a fiftieth of it, and their maximum age.
pub(crate) const ALLOWED: NearCacheRules = NearCacheRules {
    not_awaited: 1_025,
    outdated: 60_000,
};

pub(crate) fn program() -> Program {
    Program {
        file: env!("CARGO_BIN_EXE_app_server").into(),
        arguments: Vec::new(),
    }
}

/// App servers on one Redis, each on a connection of its own.
pub(crate) struct OnLines {
    pub(crate) fleet: Fleet,
    pub(crate) lines: Vec<Proxy>,
    pub(crate) redis: RedisServer,
}

impl OnLines {
    /// Starts an app server for each of these parameters of its URL.
    pub(crate) fn start(parameters: &[&str]) -> Self {
        Self::on(RedisOptions::default(), parameters)
    }

    pub(crate) fn on(options: RedisOptions, parameters: &[&str]) -> Self {
        let redis = RedisServer::start(options).unwrap();
        let line = |_: &&str| Proxy::start(redis.address()).unwrap();
        let lines: Vec<Proxy> = parameters.iter().map(line).collect();
        let urls: Vec<String> = lines
            .iter()
            .zip(parameters)
            .map(|(line, parameters)| format!("{}/?{parameters}", line.url()))
            .collect();
        let fleet = Fleet::start(program(), &urls).unwrap();
        Self {
            fleet,
            lines,
            redis,
        }
    }

    /// Returns a session of a new user with tokens. Each of these app servers has them in its near cache.
    pub(crate) fn cached_at(&self, caches: &[usize]) -> Ticketed {
        let session = signed_in(&self.fleet, 0);
        for at in caches {
            self.assert_copied(*at, &session);
        }
        session
    }

    /// Waits until the app server answers without a request to the store.
    #[track_caller]
    pub(crate) fn assert_copied(&self, at: usize, session: &Ticketed) {
        assert_copied(&self.fleet, at, session, || reads(&self.redis));
    }
}

/// Waits until the app server answers without a request to the store, as counted by `requests`.
#[track_caller]
pub(crate) fn assert_copied(
    fleet: &Fleet,
    at: usize,
    session: &Ticketed,
    requests: impl Fn() -> u64,
) {
    eventually("a read is answered by the near cache", || {
        let before = requests();
        let read = settled(|| fleet.get(at, session).outcome);
        assert!(
            matches!(read, Outcome::Found { .. }),
            "app server {at}: {read:?}"
        );
        (requests() == before).then_some(())
    });
}

/// Returns the number of reads that a Redis has answered.
pub(crate) fn reads(redis: &RedisServer) -> u64 {
    let stats = redis.cli(&["INFO", "commandstats"]).unwrap();
    let stats = stats.text().unwrap_or_default();
    let calls = stats.lines().find_map(|line| {
        let calls = line.strip_prefix("cmdstat_hmget:calls=")?;
        calls.split(',').next()?.parse().ok()
    });
    calls.unwrap_or(0)
}

/// Returns a session of a new user that has tokens.
pub(crate) fn signed_in(fleet: &Fleet, at: usize) -> Ticketed {
    let user = User::new(fleet.account());
    let session = eventually("a sign-in works", || fleet.sign_in(at, user).ok());
    assert_eq!(settled(|| fleet.put(at, &session)), Outcome::Done);
    session
}

/// Returns a sign-out of the session's account that waits.
pub(crate) fn signing_out(of: &Ticketed) -> Task {
    Task::new(Op::SignOut(Scope::Account(of.account)))
}

/// Signs the session's account out. Repeats until it succeeds.
pub(crate) fn sign_out(fleet: &Fleet, at: usize, of: &Ticketed) -> Answer {
    eventually("a sign-out is done", || {
        let answer = fleet.begin(at, signing_out(of)).wait();
        (!failed(&answer.outcome)).then_some(answer)
    })
}

/// Returns how many servers with near caches were silent, and how many there were.
#[track_caller]
pub(crate) fn waited_for(sign_out: &Answer) -> (usize, usize) {
    match sign_out.near_caches() {
        Some(NearCacheOutcome::Cleared {
            servers, silent, ..
        }) => (silent, servers),
        other => panic!("{other:?} of {sign_out:?}"),
    }
}

/// Asserts that each of these app servers refuses the session, for its tokens and for its ticket.
#[track_caller]
pub(crate) fn assert_signed_out_at(
    fleet: &Fleet,
    servers: impl IntoIterator<Item = usize>,
    session: &Ticketed,
) {
    for at in servers {
        let read = settled(|| fleet.get(at, session).outcome);
        assert_eq!(read, Outcome::SignedOut, "app server {at}");
        let resumed = settled(|| fleet.resume(at, session));
        assert_eq!(resumed, Outcome::SignedOut, "app server {at}");
    }
}

#[track_caller]
pub(crate) fn assert_signed_out(fleet: &Fleet, session: &Ticketed) {
    assert_signed_out_at(fleet, 0..fleet.len(), session);
}

/// Asserts that every promise was kept, and that no read was stale after a sign-out that waits.
#[track_caller]
pub(crate) fn assert_kept(fleet: &Fleet, rules: Rules) {
    let report = fleet.assert_kept(rules.with_near_cache(ALLOWED));
    assert_eq!(report.staleness.after_sign_out, Duration::ZERO);
}

pub(crate) fn failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { .. })
}

/// Repeats an operation until it does not fail, while a server restarts.
pub(crate) fn settled(mut ask: impl FnMut() -> Outcome) -> Outcome {
    eventually("the operation does not fail", || {
        Some(ask()).filter(|outcome| !failed(outcome))
    })
}

/// Polls a condition until it returns a value.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(start.elapsed() < GUARD, "not within {GUARD:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
