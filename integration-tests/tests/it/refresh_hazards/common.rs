use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use token_cache_integration_tests::{
    fleet::{
        Fleet, Got, Pending, Program, RefreshSettings, Refreshed, Refreshing, Storm, Ticketed, User,
    },
    servers::{OAuthProvider, OwnStore, StoreKind, TABLE, Value},
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

pub(crate) const SERVERS: usize = 4;
pub(crate) const CALLERS: usize = 50;

/// Short enough for tests to wait for it, and long enough that a busy machine does not pause a lock's holder for that long.
pub(crate) const SHORT: RefreshSettings = RefreshSettings {
    lease: Some(Duration::from_secs(4)),
    lost_answer_ends_session: false,
};

/// Time-outs that are long enough that no operation times out on a busy machine unless something is broken.
pub(crate) const PATIENT: &str = "operation_timeout=10s&connect_timeout=10s";

/// An upper limit for any condition. It is never reached if everything works.
const GUARD: Duration = Duration::from_secs(40);

/// A store, a provider, and app servers between them.
pub(crate) struct Stage<S = OwnStore> {
    pub(crate) fleet: Fleet,
    pub(crate) provider: OAuthProvider,
    pub(crate) store: S,
}

/// A session and the refresh token that it was signed in with.
pub(crate) struct SignedIn {
    pub(crate) session: Ticketed,
    pub(crate) first: String,
}

impl Stage {
    pub(crate) fn of(kind: StoreKind, settings: RefreshSettings) -> Self {
        let store = OwnStore::start(kind).unwrap();
        let urls = vec![store.url(PATIENT); SERVERS];
        Self::on(store, &urls, settings)
    }
}

impl<S> Stage<S> {
    pub(crate) fn on(store: S, urls: &[String], settings: RefreshSettings) -> Self {
        let program = Program {
            file: env!("CARGO_BIN_EXE_app_server").into(),
            arguments: Vec::new(),
        };
        Self {
            fleet: Fleet::start_refreshing(program, urls, settings).unwrap(),
            provider: OAuthProvider::start().unwrap(),
            store,
        }
    }

    /// Starts another app server in the place of a killed one.
    pub(crate) fn revive(mut self, at: usize) -> Self {
        self.fleet.replace(at).unwrap();
        self
    }

    /// Returns a session whose tokens have expired.
    pub(crate) fn signed_in(&self) -> SignedIn {
        self.signs_in(User::new(self.fleet.account()))
    }

    pub(crate) fn signs_in(&self, user: User) -> SignedIn {
        // On a store with a coarse clock, a sign-in right after a sign-out is refused for a while.
        let session = eventually("the sign-in works", || self.fleet.sign_in(1, user).ok());
        let response = self
            .provider
            .sign_in(&session.account.subject.to_string())
            .unwrap();
        self.keep(1, &session, &response, 0);
        SignedIn {
            session,
            first: response["refresh_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Stores a response that is `ago` seconds old, or of 1970 if that is 0.
    pub(crate) fn keep(&self, at: usize, of: &Ticketed, response: &serde_json::Value, ago: u64) {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let keep = Refreshing::Keep {
            response: response.clone(),
            received_at: if ago == 0 { 1 } else { now.as_secs() - ago },
        };
        let kept = self.fleet.server(at).refresh(&of.ticket, keep).wait();
        assert_eq!(only(kept.unwrap()), Got::Nothing);
    }

    /// Makes the session's tokens expire.
    pub(crate) fn expire(&self, of: &Ticketed) {
        let held = self.read(1, of);
        let response = serde_json::json!({
            "access_token": held.access_token().unwrap(), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": held.refresh_token().unwrap(),
        });
        self.keep(1, of, &response, 0);
    }

    pub(crate) fn read(&self, at: usize, of: &Ticketed) -> Got {
        let read = self.fleet.server(at).refresh(&of.ticket, Refreshing::Read);
        only(read.wait().unwrap())
    }

    pub(crate) fn storm(&self) -> Storm {
        Storm {
            token_url: self.provider.token_url(),
            revocation_url: self.provider.revocation_url(),
            callers: CALLERS,
            polls: None,
            expiries: 1,
        }
    }

    /// Begins a storm in one app server.
    pub(crate) fn begin(&self, at: usize, of: &Ticketed) -> Pending<Vec<Refreshed>> {
        self.begin_with(at, of, self.storm())
    }

    pub(crate) fn begin_with(
        &self,
        at: usize,
        of: &Ticketed,
        storm: Storm,
    ) -> Pending<Vec<Refreshed>> {
        let server = self.fleet.server(at);
        server.refresh(&of.ticket, Refreshing::Storm(storm))
    }

    /// Begins a storm in all app servers but the first.
    pub(crate) fn begin_elsewhere(&self, of: &Ticketed) -> Vec<Pending<Vec<Refreshed>>> {
        (1..SERVERS).map(|at| self.begin(at, of)).collect()
    }

    /// Runs a storm in all app servers.
    pub(crate) fn all(&self, of: &Ticketed) -> Vec<Got> {
        let running: Vec<_> = (0..SERVERS).map(|at| self.begin(at, of)).collect();
        wait(running)
    }

    /// Asserts that the session's refresh token works: at its next expiry all callers get new tokens by one call, and none was reused.
    #[track_caller]
    pub(crate) fn assert_usable(&self, of: &Ticketed) {
        let before = self.provider.counts();
        let old = self.read(1, of);
        self.expire(of);
        let got = self.all(of);
        let new = the_same_for_all(&got);
        assert_ne!(new, old);
        let after = self.provider.counts();
        assert_eq!(after.refreshes, before.refreshes + 1);
        assert_eq!(after.rotations, before.rotations + 1);
        assert_eq!(after.reuses, before.reuses);
        assert_eq!(self.read(1, of), new);
    }

    /// Asserts that no caller gets tokens of the session any more.
    #[track_caller]
    pub(crate) fn assert_ended(&self, of: &Ticketed) {
        let before = self.provider.counts();
        assert_all(&self.all(of), &Got::SignedOut);
        for at in 0..SERVERS {
            assert_eq!(self.read(at, of), Got::SignedOut);
        }
        assert_eq!(self.provider.counts(), before);
    }
}

/// Returns the result of the only caller.
fn only(refreshed: Vec<Refreshed>) -> Got {
    assert_eq!(refreshed.len(), 1);
    refreshed.into_iter().next().unwrap().got
}

/// Returns the results of all callers.
#[track_caller]
pub(crate) fn wait(running: Vec<Pending<Vec<Refreshed>>>) -> Vec<Got> {
    running
        .into_iter()
        .flat_map(|running| running.wait().expect("an app server ended"))
        .map(|refreshed| refreshed.got)
        .collect()
}

/// Returns the tokens that every caller got.
#[track_caller]
pub(crate) fn the_same_for_all(got: &[Got]) -> Got {
    let first = got.first().unwrap();
    assert!(first.access_token().is_some(), "{:?}", distinct(got));
    assert_all(got, first);
    first.clone()
}

#[track_caller]
pub(crate) fn assert_all(got: &[Got], expected: &Got) {
    assert!(!got.is_empty());
    assert!(
        got.iter().all(|got| got == expected),
        "not all got {expected:?}: {:?}",
        distinct(got)
    );
}

pub(crate) fn distinct(got: &[Got]) -> BTreeSet<String> {
    got.iter().map(|got| format!("{got:?}")).collect()
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

/// Returns the names of everything in the store.
pub(crate) fn names(store: &OwnStore) -> BTreeSet<String> {
    match store {
        OwnStore::Redis(redis) => {
            let mut names = BTreeSet::new();
            let keys = redis.cli(&["KEYS", "*"]).unwrap();
            for key in keys.items().unwrap() {
                let key = key.text().unwrap();
                names.insert(key.to_owned());
                if redis.cli(&["TYPE", key]).unwrap().text() != Some("hash") {
                    continue;
                }
                let Value::Array(fields) = redis.cli(&["HKEYS", key]).unwrap() else {
                    panic!("a hash has fields");
                };
                names.extend(fields.iter().map(|field| format!("{key} {field:?}")));
            }
            names
        }
        OwnStore::DynamoDb(engine) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let scanned = runtime.block_on(async {
                let client = engine.client();
                client.scan().table_name(TABLE).send().await.unwrap()
            });
            assert!(scanned.last_evaluated_key().is_none());
            let name = |item: &HashMap<String, _>| format!("{:?} {:?}", item["pk"], item["sk"]);
            scanned.items().iter().map(name).collect()
        }
    }
}
