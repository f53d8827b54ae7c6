//! The sweeper deletes the items of ended sessions, and nothing else.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use token_cache_core::{
    AccountId, BackgroundKey, BackgroundSession, BackgroundSessions, EntryKey, ErrorKind,
    ReadOptions, Secret, Session, SidIndex, SignIn, TokenCache, TokenSet, TokenStore,
};
use token_cache_dynamodb::{DynamoDbStore, SweepOptions};

use crate::engine::{Engine, TABLE};

const ISSUER: &str = "https://id.example";

struct App {
    engine: Engine,
    prefix: String,
    store: DynamoDbStore,
    cache: TokenCache,
}

impl App {
    async fn start(prefix: &str) -> Self {
        let engine = Engine::start().unwrap();
        let store = engine.store(prefix).await.unwrap();
        let cache = TokenCache::open(store.clone(), Secret::random().unwrap());
        Self {
            engine,
            prefix: prefix.to_owned(),
            store,
            cache: cache.await.unwrap(),
        }
    }

    /// Begins a session with this number of entries.
    async fn signs_in(&self, subject: &str, entries: usize) -> Session {
        let account = AccountId::new(ISSUER, subject).unwrap();
        let started = self.cache.start_sign_in().unwrap();
        let session = self.cache.sign_in(SignIn::new(account, &started));
        let session = session.await.unwrap();
        for number in 0..entries {
            session
                .put(
                    &entry(number),
                    TokenSet::new(format!("at-{number}")).unwrap(),
                )
                .await
                .unwrap();
        }
        session
    }

    /// Returns the sort keys of all items of accounts except account items.
    async fn left(&self) -> BTreeSet<String> {
        let scan = self.engine.client().scan().table_name(TABLE);
        let found = scan.consistent_read(true).send().await.unwrap();
        let text = |item: &std::collections::HashMap<String, _>, name: &str| -> String {
            let value: &aws_sdk_dynamodb::types::AttributeValue = &item[name];
            value.as_s().unwrap().clone()
        };
        let ours = format!("{}:A:", self.prefix);
        found
            .items()
            .iter()
            .filter(|item| text(item, "pk").starts_with(&ours))
            .map(|item| text(item, "sk"))
            .filter(|sort_key| sort_key != "#")
            .collect()
    }
}

fn entry(number: usize) -> EntryKey {
    EntryKey::resource(&format!("https://api-{number}.example")).unwrap()
}

fn at_once() -> SweepOptions {
    SweepOptions::every(Duration::from_hours(1)).read_units(1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sign_outs_leave_is_deleted_and_nothing_else() {
    let app = App::start("swept").await;
    let ended = app.signs_in("ada", 60).await;
    let lives = app.signs_in("ada", 3).await;
    let other = app.signs_in("bob", 2).await;
    assert_eq!(app.left().await.len(), 65);

    assert!(ended.sign_out().await.unwrap().ended);
    assert_eq!(app.left().await.len(), 65, "a sign-out visits no entry");
    let swept = app.store.sweep(at_once()).await.unwrap();
    assert_eq!((swept.visited, swept.deleted), (65, 60));
    assert_eq!(app.left().await.len(), 5);
    for (session, entries) in [(&lives, 3), (&other, 2)] {
        for number in 0..entries {
            let read = session.get(&entry(number)).await.unwrap();
            assert!(read.is_some(), "an entry of a living session is lost");
        }
    }

    let bob = AccountId::new(ISSUER, "bob").unwrap();
    assert!(app.cache.sign_out_account(&bob).await.unwrap().ended);
    let swept = app.store.sweep(at_once()).await.unwrap();
    assert_eq!((swept.visited, swept.deleted), (5, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_session_goes_with_its_session() {
    let app = App::start("escrowed").await;
    let session = app.signs_in("ada", 0).await;
    let page = app
        .store
        .accounts(&token_cache_core::AccountListOptions::default())
        .await;
    let [account] = page.unwrap().accounts[..] else {
        panic!("one account signed in");
    };
    let now = app.store.namespace().await.unwrap().time;
    let [record] = &app
        .store
        .sessions(&account, ReadOptions::at(now))
        .await
        .unwrap()[..]
    else {
        panic!("one session lives");
    };
    let name = BackgroundKey::from_bytes([1; 16]);
    let background_session = BackgroundSession::new(record.session_id, b"sealed".to_vec());
    app.store
        .keep(&account, &name, background_session, ReadOptions::at(now))
        .await
        .unwrap();
    assert_eq!(app.store.sweep(at_once()).await.unwrap().deleted, 0);
    assert!(session.sign_out().await.unwrap().ended);
    assert_eq!(app.store.sweep(at_once()).await.unwrap().deleted, 1);
    assert!(app.left().await.is_empty());
}

/// Sessions begin and write during passes. Afterwards every acknowledged entry exists.
#[tokio::test(flavor = "multi_thread")]
async fn no_entry_of_a_session_that_begins_meanwhile_is_lost() {
    let app = App::start("busy").await;
    let sweeping = async {
        let mut passes = 0;
        loop {
            app.store.sweep(at_once()).await.unwrap();
            passes += 1;
            if passes >= 20 {
                return;
            }
        }
    };
    let signing_in = async {
        let mut sessions = Vec::new();
        for number in 0..40 {
            sessions.push(app.signs_in(&format!("user-{number}"), 3).await);
        }
        sessions
    };
    let ((), sessions) = tokio::join!(sweeping, signing_in);
    for session in sessions {
        for number in 0..3 {
            let read = session.get(&entry(number)).await.unwrap();
            assert!(read.is_some(), "an acknowledged entry is lost");
        }
    }
}

/// Two servers sweep in the background, and delete the entries of ended sessions.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_background_it_happens_by_itself() {
    let app = App::start("background").await;
    let session = app.signs_in("ada", 5).await;
    let servers = [
        app.engine.store("background").await.unwrap(),
        app.engine.store("background").await.unwrap(),
    ];
    for server in &servers {
        let options = SweepOptions::every(Duration::from_millis(200));
        server.sweep_in_background(options).unwrap();
    }
    assert!(session.sign_out().await.unwrap().ended);
    let gone = async {
        while !app.left().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .unwrap();
}

/// The lines that the process logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_failed_sweep_in_the_background_is_logged() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || lines.clone());
    // Without this, tracing disables an event for the whole process if another thread logs it first, without a subscriber.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let _logs = tracing::subscriber::set_default(subscriber.finish());

    let app = App::start("failed").await;
    let options = SweepOptions::every(Duration::from_millis(200));
    app.store.sweep_in_background(options).unwrap();
    let deleted = app.engine.client().delete_table().table_name(TABLE);
    deleted.send().await.unwrap();
    let logged = async {
        while !log.text().contains("sweep_failed") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let logged = tokio::time::timeout(Duration::from_secs(30), logged).await;
    assert!(logged.is_ok(), "{}", log.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_without_a_pause_is_refused() {
    let app = App::start("refused").await;
    let refused = app
        .store
        .sweep_in_background(SweepOptions::every(Duration::ZERO));
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("100ms"), "{refused}");
}
