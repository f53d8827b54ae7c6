use std::time::{Duration, Instant};

use token_cache_integration_tests::{
    fleet::{Answer, Fleet, Program, Ticketed, User},
    history::{Outcome, Scope},
    servers::{OwnStore, RedisOptions, RedisServer, StoreKind},
};

/// Runs each named test on every kind of store. A hazard has one test for all stores.
macro_rules! on_every_store {
    ($($hazard:ident),+ $(,)?) => {
        mod redis {
            use token_cache_integration_tests::servers::StoreKind::Redis;
            $(#[test] fn $hazard() { super::$hazard(Redis); })+
        }
        mod dynamodb {
            use token_cache_integration_tests::servers::StoreKind::DynamoDb;
            $(#[test] fn $hazard() { super::$hazard(DynamoDb); })+
        }
    };
}
pub(crate) use on_every_store;

/// An upper limit for any condition. It is never reached if everything works.
const GUARD: Duration = Duration::from_secs(40);

/// Time-outs that are long enough that no operation times out on a busy machine unless something is broken.
pub(crate) const PATIENT: &str = "operation_timeout=10s&connect_timeout=10s";

pub(crate) fn program() -> Program {
    Program {
        file: env!("CARGO_BIN_EXE_app_server").into(),
        arguments: Vec::new(),
    }
}

pub(crate) fn redis() -> RedisServer {
    RedisServer::start(RedisOptions::default()).unwrap()
}

/// Starts a store of the test's own that loses its data in a restart.
pub(crate) fn store(kind: StoreKind) -> OwnStore {
    OwnStore::start(kind).unwrap()
}

/// Starts this many app servers with long time-outs on one store.
pub(crate) fn fleet_on(store: &OwnStore, servers: usize) -> Fleet {
    fleet_at(&vec![store.url(PATIENT); servers])
}

/// Adds parameters to a URL.
pub(crate) fn with(url: &str, parameters: &str) -> String {
    format!("{url}/?{parameters}")
}

/// Starts this many app servers with long time-outs on one Redis.
pub(crate) fn fleet(redis: &RedisServer, servers: usize) -> Fleet {
    fleet_at(&vec![with(&redis.url(), PATIENT); servers])
}

pub(crate) fn fleet_at(urls: &[String]) -> Fleet {
    Fleet::start(program(), urls).unwrap()
}

/// Returns a session that has tokens.
pub(crate) fn signed_in(fleet: &Fleet, at: usize, user: User) -> Ticketed {
    let session = fleet.sign_in(at, user).unwrap();
    assert_eq!(fleet.put(at, &session), Outcome::Done);
    session
}

/// Signs an account out by the app.
pub(crate) fn sign_out_account(fleet: &Fleet, at: usize, of: &Ticketed) -> Outcome {
    fleet.sign_out_scope(at, Scope::Account(of.account)).outcome
}

pub(crate) fn failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { .. })
}

pub(crate) fn kind(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { kind, .. } => kind,
        other => panic!("it did not fail: {other:?}"),
    }
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

/// Asserts that every app server refuses the session, for its tokens and for its ticket.
#[track_caller]
pub(crate) fn assert_signed_out(fleet: &Fleet, session: &Ticketed) {
    for at in 0..fleet.len() {
        let read = settled(|| fleet.get(at, session).outcome);
        assert_eq!(read, Outcome::SignedOut, "app server {at}");
        assert_eq!(
            settled(|| fleet.resume(at, session)),
            Outcome::SignedOut,
            "app server {at}"
        );
    }
}

/// Asserts that every app server reads the session's tokens.
#[track_caller]
pub(crate) fn assert_signed_in(fleet: &Fleet, session: &Ticketed) {
    for at in 0..fleet.len() {
        let read = settled(|| fleet.get(at, session).outcome);
        assert!(
            matches!(read, Outcome::Found { .. }),
            "app server {at}: {read:?}"
        );
    }
}

#[track_caller]
pub(crate) fn assert_found(answer: &Answer) {
    assert!(
        matches!(answer.outcome, Outcome::Found { .. }),
        "{answer:?}"
    );
}
