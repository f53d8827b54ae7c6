//! Sessions of a web API on behalf of its caller, and of an application itself.

use std::time::Duration;

use serde_json::json;
use token_cache_core::{
    AccountId, EntryKey, ErrorKind, LogoutMessage, MemoryStore, OnBehalfOf, ProviderSid, Result,
    Secret, Session, SessionKind, SignIn, SignOutScope, Timestamp, TokenCache,
    test_util::ManualClock,
};

const ISSUER: &str = "https://id.example";
const LONGEST: Duration = Duration::from_secs(2 * 3600);
const START: u64 = 1_700_000_000;

/// Servers that share a store with a clock that the test sets.
struct Fleet {
    clock: ManualClock,
    store: MemoryStore,
    secret: Secret,
}

impl Fleet {
    fn new() -> Self {
        let clock = ManualClock::new();
        Self {
            store: MemoryStore::with_clock(clock.clone()),
            clock,
            secret: Secret::random().unwrap(),
        }
    }

    async fn server(&self) -> TokenCache {
        let server = TokenCache::builder(self.store.clone()).secret(self.secret.clone());
        server.longest_assertion(LONGEST).open().await.unwrap()
    }
}

fn ada() -> AccountId {
    AccountId::new(ISSUER, "ada").unwrap()
}

fn api() -> EntryKey {
    EntryKey::resource("https://downstream.example").unwrap()
}

/// An access token of Ada for one hour, issued `after` seconds after the start.
fn issued(after: u64) -> OnBehalfOf {
    named(after, &format!("token of {after}"))
}

fn named(after: u64, assertion: &str) -> OnBehalfOf {
    let (iat, exp) = (START + after, START + after + 3_600);
    let claims = json!({"iss": ISSUER, "sub": "ada", "sid": "sid-1", "iat": iat, "exp": exp});
    OnBehalfOf::from_claims(&claims, assertion).unwrap()
}

fn refused(begun: Result<Session>) {
    assert!(begun.unwrap_err().is_signed_out());
}

fn kind(begun: Result<Session>) -> ErrorKind {
    begun.unwrap_err().kind()
}

#[tokio::test]
async fn any_server_with_the_token_has_the_session_and_no_other_token_does() {
    let fleet = Fleet::new();
    let (here, there) = (fleet.server().await, fleet.server().await);
    let session = here.on_behalf_of(issued(0)).await.unwrap();
    session.put(&api(), b"for ada".as_slice()).await.unwrap();
    let found = there.on_behalf_of(issued(0)).await.unwrap();
    let read = found.get(&api()).await.unwrap().unwrap();
    assert_eq!(read.bytes().unwrap(), b"for ada");
    assert_eq!(there.sessions(&ada()).await.unwrap().len(), 1);

    let other = there.on_behalf_of(named(0, "another token")).await.unwrap();
    assert!(other.get(&api()).await.unwrap().is_none());
    assert_eq!(there.sessions(&ada()).await.unwrap().len(), 2);
    // The account alone finds neither session.
    assert!(there.background_session(&ada()).await.unwrap().is_none());
}

/// The token is refused as long as it lives, however long ago the sign-out was.
#[tokio::test]
async fn no_token_from_before_a_sign_out_begins_a_session_after_it() {
    for which in 0..5 {
        let fleet = Fleet::new();
        let (here, there) = (fleet.server().await, fleet.server().await);
        let session = here.on_behalf_of(issued(0)).await.unwrap();
        session.put(&api(), b"for ada".as_slice()).await.unwrap();
        fleet.clock.advance(Duration::from_secs(60));
        let sid = ProviderSid::new(ISSUER, "sid-1").unwrap();
        let message = LogoutMessage::new(ISSUER, Timestamp::from_secs(START + 60)).unwrap();
        let out = match which {
            0 => there.sign_out_account(&ada()).await,
            1 => there.sign_out(SignOutScope::ProviderSession(sid)).await,
            2 => there.sign_out_by(&message.subject("ada").unwrap()).await,
            3 => there.sign_out_by(&message.sid("sid-1").unwrap()).await,
            _ => {
                let mut run = there.sign_out_issuer(ISSUER).unwrap();
                while run.step().await.unwrap().is_some() {}
                Ok(run.report())
            }
        };
        assert!(out.unwrap().ended, "{which}");
        let read = session.get(&api()).await;
        assert!(read.unwrap_err().is_signed_out(), "{which}");
        for _ in 0..58 {
            refused(here.on_behalf_of(issued(0)).await);
            // A token that no server has seen before the sign-out.
            refused(there.on_behalf_of(named(30, "unseen")).await);
            fleet.clock.advance(Duration::from_secs(60));
        }
        refused(here.on_behalf_of(issued(0)).await);
        let after = if which == 3 {
            // The provider has ended the `sid` for good.
            let (iat, exp) = (START + 70, START + 7_200);
            let claims =
                json!({"iss": ISSUER, "sub": "ada", "sid": "sid-2", "iat": iat, "exp": exp});
            OnBehalfOf::from_claims(&claims, "after").unwrap()
        } else {
            issued(70)
        };
        here.on_behalf_of(after).await.unwrap();
    }
}

/// The longest accepted token is refused until it expires, also after a sign-out at the time of its issue.
#[tokio::test]
async fn a_sign_out_is_remembered_for_as_long_as_the_longest_token_lives() {
    let fleet = Fleet::new();
    let server = fleet.server().await;
    let longest = || {
        let issued_at = Timestamp::from_secs(START);
        OnBehalfOf::new(ada(), "long", issued_at, issued_at + LONGEST).unwrap()
    };
    let _ = server.sign_out_account(&ada()).await.unwrap();
    let last = Duration::from_millis(1);
    fleet.clock.advance(LONGEST.saturating_sub(last));
    refused(server.on_behalf_of(longest()).await);
    fleet.clock.advance(last);
    refused(server.on_behalf_of(longest()).await);
    // Ordinary sign-ins have been accepted again for a long time.
    let started = server.start_sign_in().unwrap();
    server.sign_in(SignIn::new(ada(), &started)).await.unwrap();
}

/// The provider's clock may be this much ahead of the store's.
#[tokio::test]
async fn a_token_counts_as_issued_five_seconds_earlier_on_both_clocks() {
    let fleet = Fleet::new();
    let server = fleet.server().await;
    let _ = server.sign_out_account(&ada()).await.unwrap();
    refused(server.on_behalf_of(issued(5)).await);
    server.on_behalf_of(issued(6)).await.unwrap_err();
    fleet.clock.advance(Duration::from_secs(1));
    server.on_behalf_of(issued(6)).await.unwrap();

    let message = LogoutMessage::new(ISSUER, Timestamp::from_secs(START + 20)).unwrap();
    let message = message.subject("ada").unwrap();
    assert!(server.sign_out_by(&message).await.unwrap().ended);
    fleet.clock.advance(Duration::from_secs(60));
    refused(server.on_behalf_of(issued(25)).await);
    server.on_behalf_of(issued(26)).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let fleet = Fleet::new();
    let server = fleet.server().await;
    let session = server.on_behalf_of(issued(0)).await.unwrap();
    assert_eq!(session.ends_at(), Timestamp::from_secs(START + 3_600));
    session.put(&api(), b"for ada".as_slice()).await.unwrap();
    fleet.clock.advance(Duration::from_secs(3_600));
    assert!(session.get(&api()).await.unwrap_err().is_signed_out());
    refused(server.on_behalf_of(issued(0)).await);
}

#[tokio::test]
async fn what_cannot_be_kept_safe_is_refused_and_says_why() {
    let fleet = Fleet::new();
    let unset = TokenCache::open(fleet.store.clone(), fleet.secret.clone()).await;
    let error = unset.unwrap().on_behalf_of(issued(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("longest_assertion"), "{error}");

    let server = fleet.server().await;
    let issued_at = Timestamp::from_secs(START);
    let too_long = issued_at + LONGEST + Duration::from_secs(1);
    let too_long = OnBehalfOf::new(ada(), "long", issued_at, too_long).unwrap();
    assert_eq!(kind(server.on_behalf_of(too_long).await), ErrorKind::Config);
    refused(server.on_behalf_of(issued(6)).await);
    for setting in [Duration::ZERO, Duration::from_secs(8 * 24 * 3600)] {
        let opened = TokenCache::builder(MemoryStore::new())
            .secret(fleet.secret.clone())
            .longest_assertion(setting);
        assert_eq!(opened.open().await.unwrap_err().kind(), ErrorKind::Misuse);
    }
}

#[tokio::test]
async fn the_apis_sessions_push_out_none_of_the_users_browsers() {
    let fleet = Fleet::new();
    let server = TokenCache::builder(fleet.store.clone())
        .secret(fleet.secret.clone())
        .longest_assertion(LONGEST)
        .max_sessions(2);
    let server = server.open().await.unwrap();
    let started = server.start_sign_in().unwrap();
    let browser = server.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    for n in 0..3 {
        let token = named(n, &n.to_string());
        server.on_behalf_of(token).await.unwrap();
    }
    assert!(browser.get(&api()).await.unwrap().is_none());
    let sessions = server.sessions(&ada()).await.unwrap();
    let on_behalf_of = sessions
        .iter()
        .filter(|session| session.kind == SessionKind::OnBehalfOf);
    assert_eq!((sessions.len(), on_behalf_of.count()), (3, 2));
}

#[tokio::test]
async fn two_servers_that_begin_at_once_do_no_harm() {
    let fleet = Fleet::new();
    let (here, there) = (fleet.server().await, fleet.server().await);
    let (one, other) = tokio::join!(here.on_behalf_of(issued(0)), there.on_behalf_of(issued(0)));
    for session in [one.unwrap(), other.unwrap()] {
        session.put(&api(), b"for ada".as_slice()).await.unwrap();
    }
    let found = here.on_behalf_of(issued(0)).await.unwrap();
    assert!(found.get(&api()).await.unwrap().is_some());
    assert!(here.sign_out_account(&ada()).await.unwrap().ended);
    refused(there.on_behalf_of(issued(0)).await);
}

#[tokio::test]
async fn an_applications_session_is_every_servers_until_it_is_signed_out() {
    let fleet = Fleet::new();
    let (here, there) = (fleet.server().await, fleet.server().await);
    let session = here.application("client-1").await.unwrap();
    session.put(&api(), b"app token".as_slice()).await.unwrap();
    let found = there.application("client-1").await.unwrap();
    assert!(found.get(&api()).await.unwrap().is_some());
    let other = there.application("client-2").await.unwrap();
    assert!(other.get(&api()).await.unwrap().is_none());
    let application = AccountId::application("client-1").unwrap();
    assert!(there.sign_out_account(&application).await.unwrap().ended);
    assert!(session.get(&api()).await.unwrap_err().is_signed_out());
    fleet.clock.advance(Duration::from_millis(1));
    let anew = here.application("client-1").await.unwrap();
    assert!(anew.get(&api()).await.unwrap().is_none());
    assert!(other.get(&api()).await.unwrap().is_none());
}
