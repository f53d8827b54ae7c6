//! In any history of servers and backplane failures, no read that began after a sign-out had returned finds a token of an ended session.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use token_cache_core::{
    AccountId, MemoryStore, Secret, SignIn, Ticket, TokenCache,
    test_util::{FailingStore, RuntimeBootTime},
};
use token_cache_near_cache::NearCacheConfig;
use tokio::task::JoinSet;

use super::{cache::api, fleet::LEASE};

const SERVERS: usize = 3;
const ACCOUNTS: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Act {
    SignIn,
    Read,
    SignOut,
    CutBackplane,
    Freeze,
    Late(u64),
    Mend,
    /// The machine sleeps for this many milliseconds.
    Sleep(u64),
}

/// A server, an account, an action, and the pause before the next step.
type Step = (usize, usize, Act, u64);

fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        2 => Just(Act::SignIn),
        8 => Just(Act::Read),
        4 => Just(Act::SignOut),
        1 => Just(Act::CutBackplane),
        1 => Just(Act::Freeze),
        1 => (1_u64..50).prop_map(Act::Late),
        3 => Just(Act::Mend),
        1 => (1_u64..1_500).prop_map(Act::Sleep),
    ];
    let pause = prop_oneof![4 => 0_u64..5, 2 => 5_u64..300, 1 => 300_u64..1_500];
    (0..SERVERS, 0..ACCOUNTS, act, pause)
}

/// A server. The first one has no near cache.
#[derive(Clone)]
struct Server {
    cache: TokenCache,
    way: FailingStore,
    boot: RuntimeBootTime,
}

/// A session, and the time when its sign-in returned.
#[derive(Clone)]
struct Begun {
    account: usize,
    ticket: Ticket,
    returned: u64,
}

/// The times when a call began and returned.
#[derive(Debug, Clone, Copy)]
struct Call {
    called: u64,
    returned: u64,
}

#[derive(Default)]
struct History {
    clock: AtomicU64,
    sessions: Mutex<Vec<Begun>>,
    /// The session whose token a read found, and the times of that read.
    reads: Mutex<Vec<(usize, Call)>>,
    sign_outs: Mutex<Vec<(usize, Call)>>,
    from_near_caches: AtomicU64,
}

impl History {
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let sessions = self.sessions.lock().unwrap();
        for (session, read) in &*self.reads.lock().unwrap() {
            let begun = &sessions[*session];
            for (account, sign_out) in &*self.sign_outs.lock().unwrap() {
                let ended = *account == begun.account && begun.returned < sign_out.called;
                prop_assert!(
                    !(ended && sign_out.returned < read.called),
                    "session {session}: {sign_out:?} and then {read:?}"
                );
            }
        }
        Ok(())
    }
}

fn account(number: usize) -> AccountId {
    AccountId::new("https://id.example", format!("user {number}")).unwrap()
}

async fn sign_in(server: Server, number: usize, history: Arc<History>) {
    let Ok(started) = server.cache.start_sign_in() else {
        return;
    };
    let sign_in = SignIn::new(account(number), &started);
    let Ok(session) = server.cache.sign_in(sign_in).await else {
        return;
    };
    if session.put(&api(), b"a token".to_vec()).await.is_ok() {
        let begun = Begun {
            account: number,
            ticket: session.ticket().unwrap(),
            returned: history.tick(),
        };
        history.sessions.lock().unwrap().push(begun);
    }
}

async fn read(server: Server, number: usize, history: Arc<History>) {
    let sessions = history.sessions.lock().unwrap().clone();
    for (index, begun) in sessions.iter().enumerate() {
        if begun.account != number {
            continue;
        }
        let called = history.tick();
        let requests = server.way.requests();
        let session = server.cache.resume_unverified(&begun.ticket).unwrap();
        if let Ok(Some(_)) = session.get(&api()).await {
            let returned = history.tick();
            if server.way.requests() == requests {
                history.from_near_caches.fetch_add(1, Ordering::SeqCst);
            }
            let call = Call { called, returned };
            history.reads.lock().unwrap().push((index, call));
        }
    }
}

async fn sign_out(server: Server, number: usize, history: Arc<History>) {
    let called = history.tick();
    if server
        .cache
        .sign_out_account(&account(number))
        .await
        .is_ok()
    {
        let returned = history.tick();
        let call = Call { called, returned };
        history.sign_outs.lock().unwrap().push((number, call));
    }
}

async fn fleet() -> Vec<Server> {
    let (store, secret) = (MemoryStore::new(), Secret::random().unwrap());
    let mut servers = Vec::new();
    for number in 0..SERVERS {
        let way = FailingStore::new(store.clone());
        let boot = RuntimeBootTime::new();
        let mut builder = TokenCache::builder(way.clone())
            .secret(secret.clone())
            .boot_time(boot.clone());
        if number > 0 {
            builder = builder.near_cache(NearCacheConfig::new().lease(LEASE));
        }
        let cache = builder.open().await.unwrap();
        servers.push(Server { cache, way, boot });
    }
    servers
}

async fn run(steps: Vec<Step>) -> Arc<History> {
    let (servers, history) = (fleet().await, Arc::new(History::default()));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut tasks = JoinSet::new();
    for (server, number, act, pause) in steps {
        let server = servers[server].clone();
        let history = Arc::clone(&history);
        match act {
            Act::SignIn => drop(tasks.spawn(sign_in(server, number, history))),
            Act::Read => drop(tasks.spawn(read(server, number, history))),
            Act::SignOut => drop(tasks.spawn(sign_out(server, number, history))),
            Act::CutBackplane => server.way.cut_backplane(),
            Act::Freeze => server.way.freeze_backplane(),
            Act::Late(millis) => server.way.answer_late(Duration::from_millis(millis)),
            Act::Mend => server.way.work(),
            Act::Sleep(millis) => server.boot.sleep(Duration::from_millis(millis)),
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_read_finds_what_was_signed_out_before_it(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(steps)).check()?;
    }
}

/// Runs a fixed schedule with near-cache hits and sign-outs, to show that the check above sees both.
#[tokio::test(start_paused = true)]
async fn a_schedule_reads_from_cached_entries_and_signs_out() {
    let steps = [
        (0, 0, Act::SignIn, 5),
        (1, 0, Act::Read, 5),
        (1, 0, Act::Read, 5),
        (2, 0, Act::SignOut, 1),
        (1, 0, Act::Read, 5),
    ];
    let history = run(steps.to_vec()).await;
    assert_eq!(history.from_near_caches.load(Ordering::SeqCst), 1);
    assert_eq!(history.reads.lock().unwrap().len(), 2);
    assert_eq!(history.sign_outs.lock().unwrap().len(), 1);
}
