//! A server that signs out drops its own near-cache entries itself, even if its backplane connection delivers nothing.

use std::time::Duration;

use token_cache_core::{ErrorKind, ProviderSid, SignIn, SignOutScope, Ticket, Wait};

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

async fn is_dropped_by(scope: impl FnOnce(&LeasedCache, &Ticket) -> SignOutScope) {
    let (server, ticket) = server().await;
    let scope = scope(&server, &ticket);
    let signed_out = server.cache.sign_out_with(scope, Wait::None).await;
    assert!(signed_out.unwrap().ended);
    assert!(server.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_of_any_scope_drops_them() {
    is_dropped_by(|_, _| SignOutScope::Account(ada())).await;
    is_dropped_by(|server, ticket| SignOutScope::Session(server.session(ticket))).await;
    is_dropped_by(|server, ticket| SignOutScope::AccountOf(server.session(ticket))).await;
    is_dropped_by(|_, _| {
        SignOutScope::ProviderSession(ProviderSid::new("https://id.example", "s1").unwrap())
    })
    .await;
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
