//! A server that signs out drops its own near-cache entries itself, even if its backplane connection delivers nothing.

use std::time::Duration;

use token_cache_core::{
    ErrorKind, ProviderSid, Result, SignIn, SignOut, SignOutScope, SignOutScopeKind, Ticket, Wait,
};

use super::{
    cache::{LeasedCache, api},
    fleet::{Fleet, ada, settle},
};

/// Returns a server with a near cache, and the ticket of a session whose entry is in it. The server receives no invalidation message any
/// more.
async fn server() -> (LeasedCache, Ticket) {
    let fleet = Fleet::new().await;
    let server = LeasedCache::start(fleet.store.clone(), &fleet.secret).await;
    settle().await;
    settle().await;
    let started = server.cache.start_sign_in().unwrap();
    let sign_in = SignIn::new(ada(), &started).sid("s1").unwrap();
    let session = server.cache.sign_in(sign_in).await.unwrap();
    session.put(&api(), b"a token".to_vec()).await.unwrap();
    let ticket = session.ticket().unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.populate(&ticket).await;
    server.way.freeze_backplane();
    (server, ticket)
}

async fn is_dropped_by(sign_out: impl AsyncFnOnce(&LeasedCache, &Ticket) -> Result<SignOut>) {
    let (server, ticket) = server().await;
    assert!(sign_out(&server, &ticket).await.unwrap().ended);
    assert!(server.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_of_any_scope_drops_them() {
    for scope in [
        SignOutScope::Account(ada()),
        SignOutScope::ProviderSession(ProviderSid::new("https://id.example", "s1").unwrap()),
    ] {
        is_dropped_by(async |server, _| server.cache.sign_out_with(scope, Wait::None).await).await;
    }
    for scope in [
        SignOutScopeKind::Session,
        SignOutScopeKind::ProviderSession,
        SignOutScopeKind::Account,
    ] {
        is_dropped_by(async |server, ticket| {
            let session = server.session(ticket);
            session.sign_out_with(scope, Wait::None).await
        })
        .await;
    }
}

/// The sign-out ended sessions, and its caller does not know it. Until it is repeated, this server asks the store.
#[tokio::test(start_paused = true)]
async fn a_sign_out_whose_answer_is_lost_drops_them() {
    for scope in [
        SignOutScope::Account(ada()),
        SignOutScope::ProviderSession(ProviderSid::new("https://id.example", "s1").unwrap()),
    ] {
        let (server, ticket) = server().await;
        assert!(server.hits(&ticket).await);
        server.way.lose_answers_with(ErrorKind::TimedOut);
        let signed_out = server.cache.sign_out_with(scope, Wait::None).await;
        assert!(signed_out.unwrap_err().may_have_applied());
        assert!(!server.hits(&ticket).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bulk_sign_out_whose_answer_is_lost_drops_them() {
    let (server, ticket) = server().await;
    assert!(server.hits(&ticket).await);
    let mut bulk = server.cache.sign_out_accounts(&[ada()]).unwrap();
    server.way.lose_answers_with(ErrorKind::TimedOut);
    assert!(bulk.step().await.is_err());
    assert!(!server.hits(&ticket).await);
}
