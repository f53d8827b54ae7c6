//! Messages that are there before their provider's keys. Most providers send a message once, so it may not be lost for that.

use std::time::Duration;

use token_cache_core::{AccountId, Session, SignIn, TokenCache};
use token_cache_sign_out::{Algorithm, Bounds, Cause, Client, SignOutRoutes, SignedOut};
use tokio::sync::mpsc;

use crate::{
    keys::{send, signer, token, token_of},
    keys_server::KeysServer,
    rig::{Answer, CLIENT, told},
    signer::{Signer, jwks},
};

/// An app that has never asked its provider for keys, and a provider that is slow to answer.
struct Cold {
    server: KeysServer,
    signer: Signer,
    cache: TokenCache,
    routes: SignOutRoutes,
    tellings: mpsc::UnboundedReceiver<SignedOut>,
}

impl Cold {
    async fn new() -> Self {
        let signer = signer("1");
        let server = KeysServer::start(jwks(&[&signer])).await;
        let cache = TokenCache::in_memory().await.unwrap();
        let (tell, tellings) = mpsc::unbounded_channel();
        let mut bounds = Bounds::default();
        bounds.keys = Duration::from_millis(50);
        let routes = SignOutRoutes::builder(cache.clone())
            .client(Client::new(&server.issuer, CLIENT).algorithms([Algorithm::Es256]))
            .bounds(bounds)
            .on_signed_out(move |signed_out| {
                let tell = tell.clone();
                async move { tell.send(signed_out).unwrap() }
            })
            .build()
            .unwrap();
        server.hold();
        Self {
            server,
            signer,
            cache,
            routes,
            tellings,
        }
    }

    async fn sign_in(&self, subject: &str) -> Session {
        let account = AccountId::new(self.server.issuer.as_str(), subject).unwrap();
        let sign_in = SignIn::new(account, &self.cache.start_sign_in().unwrap());
        self.cache.sign_in(sign_in).await.unwrap()
    }

    async fn send(&self, token: &str) -> Answer {
        send(&self.routes, token).await
    }

    async fn is_signed_in(&self, session: &Session) -> bool {
        let ticket = session.ticket().unwrap();
        self.cache.resume(&ticket).await.is_ok()
    }
}

#[tokio::test]
async fn a_message_that_meets_no_keys_is_carried_out_when_they_come() {
    let mut app = Cold::new().await;
    let session = app.sign_in("ada").await;
    let token = token(&app.server, &app.signer);
    let answer = app.send(&token).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.retry_after && app.is_signed_in(&session).await);
    app.server.open();
    let signed_out = told(&mut app.tellings).await;
    assert_eq!(signed_out.cause, Cause::BackChannel);
    assert!(signed_out.outcome.unwrap().ended);
    assert!(!app.is_signed_in(&session).await);
    assert_eq!(app.server.asked_for_jwks(), 1);
}

#[tokio::test]
async fn the_provider_s_next_try_joins_the_message_that_waits_for_keys() {
    let mut app = Cold::new().await;
    let session = app.sign_in("ada").await;
    let token = token(&app.server, &app.signer);
    assert_eq!(app.send(&token).await.status, 503);
    assert_eq!(app.send(&token).await.status, 503, "it waits as well");
    let (routes, again) = (app.routes.clone(), token.clone());
    let trying = tokio::spawn(async move { send(&routes, &again).await });
    app.server.open();
    let answer = trying.await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
    assert!(told(&mut app.tellings).await.outcome.unwrap().ended);
    assert!(!app.is_signed_in(&session).await);
    drop(app.routes);
    assert!(app.tellings.recv().await.is_none(), "it was told once");
}

#[tokio::test]
async fn a_forged_message_that_waited_for_keys_ends_nothing() {
    let mut app = Cold::new().await;
    let (session, eve) = (app.sign_in("ada").await, app.sign_in("eve").await);
    let forged = token(&app.server, &signer("1"));
    assert_eq!(app.send(&forged).await.status, 503);
    let good = token_of(&app.server, &app.signer, "eve");
    assert_eq!(app.send(&good).await.status, 503);
    app.server.open();
    let signed_out = told(&mut app.tellings).await;
    assert_eq!(signed_out.account.unwrap().subject(), "eve");
    assert!(!app.is_signed_in(&eve).await);
    drop(app.routes);
    assert!(app.tellings.recv().await.is_none(), "nobody else");
    let ticket = session.ticket().unwrap();
    assert!(app.cache.resume(&ticket).await.is_ok());
}

/// Nothing is proven of them yet, and anybody can send them.
#[tokio::test]
async fn only_so_many_messages_wait_for_keys() {
    const MOST: usize = 250;
    let mut app = Cold::new().await;
    let last = app.sign_in("last").await;
    let waiting: Vec<_> = (0..MOST)
        .map(|number| {
            let token = token_of(&app.server, &app.signer, &format!("user {number}"));
            let routes = app.routes.clone();
            tokio::spawn(async move { send(&routes, &token).await })
        })
        .collect();
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().status, 503);
    }
    let token = token_of(&app.server, &app.signer, "last");
    assert_eq!(app.send(&token).await.status, 503);
    app.server.open();
    for _ in 0..MOST {
        let signed_out = told(&mut app.tellings).await;
        assert_ne!(signed_out.account.unwrap().subject(), "last");
    }
    assert!(app.is_signed_in(&last).await, "there was no room for it");
    let answer = app.send(&token).await;
    assert!(answer.is_ok(), "{answer:?}");
}

/// The key that a provider put in the place of another is late: the message may be good.
#[tokio::test]
async fn a_message_by_a_key_that_took_another_s_place_waits_for_it() {
    let mut app = Cold::new().await;
    app.server.open();
    let old = token(&app.server, &app.signer);
    assert!(app.send(&old).await.is_ok());
    told(&mut app.tellings).await;
    let new = signer("1");
    app.server.publish(jwks(&[&new]));
    app.server.hold();
    let session = app.sign_in("eve").await;
    let token = token_of(&app.server, &new, "eve");
    let answer = app.send(&token).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    app.server.open();
    assert!(told(&mut app.tellings).await.outcome.unwrap().ended);
    assert!(!app.is_signed_in(&session).await);
}

#[tokio::test]
async fn keys_that_were_fetched_ahead_are_at_hand_for_the_first_message() {
    let app = Cold::new().await;
    app.server.open();
    app.routes.fetch_keys().await.unwrap();
    app.server.hold();
    let answer = app.send(&token(&app.server, &app.signer)).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(app.server.asked_for_jwks(), 1);
}

#[tokio::test]
async fn who_fetches_keys_ahead_hears_whose_are_missing_and_goes_on() {
    let app = Cold::new().await;
    app.server.open();
    app.server.fail(http::StatusCode::INTERNAL_SERVER_ERROR);
    let other = Client::new("https://id.example", CLIENT).keys(jwks(&[&app.signer]));
    let routes = SignOutRoutes::builder(app.cache.clone())
        .client(Client::new(&app.server.issuer, CLIENT).algorithms([Algorithm::Es256]))
        .client(other)
        .build()
        .unwrap();
    let missing = routes.fetch_keys().await.unwrap_err();
    assert_eq!(missing.issuers().collect::<Vec<_>>(), [&app.server.issuer]);
    let text = missing.to_string();
    assert!(
        text.contains(&app.server.issuer) && text.contains("500"),
        "{text}"
    );
}
