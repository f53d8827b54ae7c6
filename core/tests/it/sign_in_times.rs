//! How a sign-in treats the times that a provider sends, and the end of its own session.

#![cfg(feature = "test-util")]

use std::time::Duration;

use serde_json::json;
use token_cache_core::{
    AccountId, EntryKey, Error, ErrorKind, LogoutMessage, MemoryStore, NamespaceRecord,
    ProviderSid, Secret, Session, SignIn, StartedSignIn, Ticket, Timestamp, TokenCache, TokenStore,
    test_util::ManualClock,
};

const ISSUER: &str = "https://id.example";
/// The start time of a [`ManualClock`].
const NOW: u64 = 1_700_000_000;

struct Server {
    clock: ManualClock,
    cache: TokenCache,
}

impl Server {
    async fn start() -> Self {
        let clock = ManualClock::new();
        let store = MemoryStore::with_clock(clock.clone());
        let cache = TokenCache::open(store, Secret::random().unwrap())
            .await
            .unwrap();
        Self { clock, cache }
    }

    async fn sign_in(&self, auth_time: serde_json::Value) -> Result<Session, Error> {
        let claims = json!({"iss": ISSUER, "sub": "ada", "auth_time": auth_time});
        let started = self.cache.start_sign_in().unwrap();
        self.cache
            .sign_in(SignIn::from_claims(&claims, &started).unwrap())
            .await
    }

    /// Signs out by a message that the provider issued at this time.
    async fn is_told(&self, secs: u64) {
        let message = LogoutMessage::new(ISSUER, Timestamp::from_secs(secs)).unwrap();
        let message = message.subject("ada").unwrap();
        let _ = self.cache.sign_out_by(&message).await.unwrap();
    }
}

fn api() -> EntryKey {
    EntryKey::resource("https://api.example").unwrap()
}

/// The message ends the session, and does not affect a new sign-in.
#[tokio::test]
async fn an_auth_time_that_cannot_be_right_neither_escapes_a_message_nor_locks_out() {
    for odd in [
        json!(NOW * 1_000),
        json!(NOW + 301),
        json!(u64::MAX),
        json!(1e300),
        json!(0),
        json!(-1),
        json!(946_684_799),
    ] {
        let server = Server::start().await;
        let session = server.sign_in(odd.clone()).await.unwrap();
        server.clock.advance(Duration::from_secs(60));
        server.is_told(NOW + 60).await;
        let read = session.get(&api()).await;
        assert!(read.is_err_and(|error| error.is_signed_out()), "{odd}");
        server.clock.advance(Duration::from_secs(60));
        let again = server.sign_in(odd.clone()).await;
        assert!(again.is_ok(), "{odd}: {again:?}");
    }
}

#[tokio::test]
async fn max_age_is_checked_where_it_was_requested() {
    let server = Server::start().await;
    let sign_in = async |auth_time: Option<u64>| {
        let claims = json!({"iss": ISSUER, "sub": "ada", "auth_time": auth_time});
        let hour = Duration::from_secs(3_600);
        let started = server
            .cache
            .start_sign_in_with_max_age(hour)
            .unwrap()
            .to_text();
        let sign_in = SignIn::from_claims(&claims, &started.parse().unwrap()).unwrap();
        server.cache.sign_in(sign_in).await.map(drop)
    };
    sign_in(Some(NOW)).await.unwrap();
    sign_in(Some(NOW - 3_660)).await.unwrap();
    for refused in [Some(NOW - 3_661), Some(0), None] {
        let error = sign_in(refused).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SignInRevoked, "{error}");
        assert!(error.to_string().contains("max_age"), "{error}");
    }
}

#[tokio::test]
async fn the_providers_session_expiry_ends_the_session() {
    let server = Server::start().await;
    let sign_in = async |expiry: u64| {
        let claims = json!({"iss": ISSUER, "sub": "ada", "session_expiry": expiry});
        let started = server.cache.start_sign_in().unwrap();
        server
            .cache
            .sign_in(SignIn::from_claims(&claims, &started).unwrap())
            .await
    };
    let session = sign_in(NOW + 60).await.unwrap();
    assert_eq!(session.ends_at(), Timestamp::from_secs(NOW + 60));
    server.clock.advance(Duration::from_secs(60));
    assert!(session.get(&api()).await.unwrap_err().is_signed_out());
    let error = sign_in(NOW + 60).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignInRevoked, "{error}");
}

#[test]
fn what_names_nothing_is_refused() {
    for text in ["", "AA", "AAAAAAAA"] {
        let error = text.parse::<Ticket>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidTicket, "{text:?}");
        assert_eq!(
            text.parse::<StartedSignIn>().unwrap_err().kind(),
            ErrorKind::InvalidTicket
        );
    }
    for issuer in [
        " https://id.example",
        "https://id.example ",
        "https://id.example\n",
        "https://id .example",
        "https://id.example\u{a0}",
        "\u{feff}https://id.example",
        "https://id.example\0",
        "\t",
        "https://id.example\u{200b}",
    ] {
        let refused = [
            AccountId::new(issuer, "ada").map(drop),
            AccountId::custom(issuer, "ada").map(drop),
            ProviderSid::new(issuer, "sid").map(drop),
            LogoutMessage::new(issuer, Timestamp::from_secs(NOW)).map(drop),
            EntryKey::resource(issuer).map(drop),
        ];
        for refused in refused {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Misuse, "{issuer:?}");
        }
    }
    for name in ["", " ", "\u{a0}", "\r\n"] {
        for refused in [
            AccountId::new(ISSUER, name).map(drop),
            ProviderSid::new(ISSUER, name).map(drop),
            EntryKey::new(name).map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Misuse, "{name:?}");
        }
    }
    // A distinguished name contains spaces, and is used unchanged.
    AccountId::new(ISSUER, "cn=Ada Lovelace, ou=staff").unwrap();
}

#[tokio::test]
async fn the_highest_generation_is_not_raised_past_its_end() {
    let store = MemoryStore::new();
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let there = store.namespace().await.unwrap().record.unwrap();
    let highest = NamespaceRecord::new(u64::MAX, there.check);
    assert!(store.set_namespace(Some(&there), &highest).await.unwrap());
    let error = cache.raise_generation().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(store.namespace().await.unwrap().record, Some(highest));
    let almost = NamespaceRecord::new(u64::MAX - 1, there.check);
    assert!(store.set_namespace(Some(&highest), &almost).await.unwrap());
    assert_eq!(cache.raise_generation().await.unwrap(), u64::MAX);
}

#[tokio::test]
async fn a_stored_near_cache_life_that_no_server_can_be_set_to_is_bounded() {
    let store = MemoryStore::new();
    let secret = Secret::random().unwrap();
    let first = TokenCache::open(store.clone(), secret.clone())
        .await
        .unwrap();
    let there = store.namespace().await.unwrap().record.unwrap();
    let a_year = there.with_near_cache(Duration::from_secs(365 * 24 * 3_600));
    assert!(store.set_namespace(Some(&there), &a_year).await.unwrap());
    let second = TokenCache::open(store.clone(), secret).await.unwrap();
    let minute = Duration::from_secs(60);
    assert_eq!(second.longest_near_cache_life().unwrap(), minute);
    let record = store.namespace().await.unwrap().record.unwrap();
    assert_eq!(record.longest_near_cache_life, minute);
    let error = first
        .set_longest_near_cache_life(2 * minute)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
}

/// The log as text.
#[cfg(feature = "tracing")]
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(feature = "tracing")]
impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn what_an_operator_should_look_at_is_logged_once() {
    use token_cache_core::TokenSet;

    // Without this, tracing disables an event for the whole process if another thread logs it first, without a subscriber.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logs = tracing::subscriber::set_default(subscriber);
    let server = Server::start().await;
    server.cache.expect_sid(ISSUER);
    server.cache.expect_sid("https://other.example");
    let now = server.cache.now().unwrap();
    for _ in 0..2 {
        let session = server.sign_in(json!(NOW)).await.unwrap();
        let hour = Duration::from_secs(3_600);
        let tokens = TokenSet::new("at-of-the-test")
            .unwrap()
            .with_expires_at(now + hour);
        session.put(&api(), tokens.clone()).await.unwrap();
        let of_another_clock = tokens.with_issued_at(now + hour / 2);
        session.put(&api(), of_another_clock).await.unwrap();
    }
    server.sign_in(json!(0)).await.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for event in [
        "sign_in_without_sid",
        "tokens_without_refresh_token",
        "tokens_of_another_clock",
        "auth_time_ignored",
    ] {
        assert_eq!(
            text.matches(&format!("event=\"{event}\"")).count(),
            1,
            "{event}: {text}"
        );
    }
    for secret in ["ada", "at-of-the-test"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
