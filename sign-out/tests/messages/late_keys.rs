//! Messages that arrive before their provider's keys. Most providers send a message once, so it must not be lost.

use std::time::Duration;

use futures_util::future::join_all;
use token_cache_core::{AccountId, Session, SignIn, TokenCache};
use token_cache_sign_out::{
    Algorithm, ClientRegistration, KeyFetch, SignOutCause, SignOutEvent, SignOutRoutes, Timeouts,
};
use tokio::sync::mpsc;

use crate::{
    keys::{send, signer, token, token_of},
    keys_server::KeysServer,
    log::Log,
    rig::{Answer, CLIENT, told},
    signer::{Signer, jwks},
};

/// The minimum time between two fetches that are caused by unknown keys.
const PAUSE: Duration = Duration::from_secs(2);

/// An app that has fetched no keys yet, and a slow provider.
struct Cold {
    server: KeysServer,
    signer: Signer,
    cache: TokenCache,
    routes: SignOutRoutes,
    tellings: mpsc::UnboundedReceiver<SignOutEvent>,
}

impl Cold {
    async fn new() -> Self {
        let signer = signer("1");
        let server = KeysServer::start(jwks(&[&signer])).await;
        let cache = TokenCache::in_memory().await.unwrap();
        let (tell, tellings) = mpsc::unbounded_channel();
        let timeouts = Timeouts::default().keys(Duration::from_millis(50));
        let routes = SignOutRoutes::builder(cache.clone())
            .client(
                ClientRegistration::new(&server.issuer, CLIENT)
                    .algorithms([Algorithm::Es256])
                    .jwks_cooldown(PAUSE),
            )
            .timeouts(timeouts)
            .key_fetch(KeyFetch::OnDemand)
            .on_sign_out(move |signed_out| {
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
    assert_eq!(signed_out.cause, SignOutCause::BackChannel);
    assert!(signed_out.result.unwrap().ended);
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
    assert!(told(&mut app.tellings).await.result.unwrap().ended);
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

/// The messages are not verified yet, and anyone can send them. So their memory is limited. They replace no waiting
/// message, and they leave room for other issuers' messages.
#[tokio::test]
async fn forged_messages_that_wait_push_out_no_genuine_one() {
    let mut app = Cold::new().await;
    let other = KeysServer::start(jwks(&[&app.signer])).await;
    let (tell, mut tellings) = mpsc::unbounded_channel();
    let client = |server: &KeysServer| {
        ClientRegistration::new(&server.issuer, CLIENT).algorithms([Algorithm::Es256])
    };
    app.routes = SignOutRoutes::builder(app.cache.clone())
        .client(client(&app.server))
        .client(client(&other))
        .key_fetch(KeyFetch::OnDemand)
        .on_sign_out(move |signed_out| {
            let tell = tell.clone();
            async move { tell.send(signed_out).unwrap() }
        })
        .build()
        .unwrap();
    other.hold();
    let log = Log::start();
    let first = app.sign_in("first").await;
    let good = token_of(&app.server, &app.signer, "first");
    assert_eq!(app.send(&good).await.status, 503);
    assert!(log.warning().text.contains("verified when the keys come"));
    // Each message takes about 60 KiB of the 16 MiB that each of two issuers has.
    let stranger = signer("1");
    let padding = "x".repeat(40_000);
    let forged: Vec<_> = (0..400)
        .map(|number| token_of(&app.server, &stranger, &format!("{number}{padding}")))
        .collect();
    let answers = join_all(forged.iter().map(|forged| app.send(forged))).await;
    assert!(answers.iter().all(|answer| answer.status == 503));
    let lines = log.take();
    let waits = lines
        .iter()
        .filter(|line| line.text.contains("when the keys come"))
        .count();
    let lost = lines
        .iter()
        .filter(|line| line.text.contains("lost unless"))
        .count();
    assert_eq!(waits + lost, 400);
    assert!((250..=300).contains(&waits), "{waits} wait");
    let small = (0..20).map(|number| token_of(&app.server, &stranger, &format!("{number}")));
    for forged in small {
        assert_eq!(app.send(&forged).await.status, 503);
    }
    log.take();
    let late = token_of(&app.server, &app.signer, "late");
    assert_eq!(app.send(&late).await.status, 503);
    assert!(log.warning().text.contains("lost unless"));
    let elsewhere = token_of(&other, &app.signer, "elsewhere");
    assert_eq!(app.send(&elsewhere).await.status, 503);
    assert!(log.warning().text.contains("when the keys come"));
    app.server.open();
    other.open();
    let mut subjects = [told(&mut tellings).await, told(&mut tellings).await]
        .map(|signed_out| signed_out.account.unwrap().subject().to_owned());
    subjects.sort();
    assert_eq!(subjects, ["elsewhere", "first"]);
    assert!(!app.is_signed_in(&first).await);
    let answer = app.send(&late).await;
    assert!(answer.is_ok(), "sent again, it is carried out: {answer:?}");
}

/// The key may be new, so only keys that were fetched after the message arrived count.
#[tokio::test]
async fn a_message_under_a_new_key_that_comes_in_the_pause_is_carried_out_after_it() {
    for (id, header) in [("2", "another id"), ("1", "the same id")] {
        let mut app = Cold::new().await;
        app.server.open();
        let old = token(&app.server, &app.signer);
        assert!(app.send(&old).await.is_ok());
        told(&mut app.tellings).await;
        let stranger = signer(id);
        let forged = token(&app.server, &stranger);
        assert_eq!(
            app.send(&forged).await.status,
            400,
            "{header}: keys were fetched for it"
        );
        let new = signer(id);
        app.server.publish(jwks(&[&new]));
        let session = app.sign_in("eve").await;
        let good = token_of(&app.server, &new, "eve");
        let answer = app.send(&good).await;
        assert_eq!(answer.status, 503, "{header}: {answer:?}");
        assert!(answer.retry_after, "{header}");
        let signed_out = told(&mut app.tellings).await;
        assert_eq!(signed_out.account.unwrap().subject(), "eve", "{header}");
        assert!(!app.is_signed_in(&session).await, "{header}");
        assert_eq!(
            app.server.asked_for_jwks(),
            3,
            "{header}: once after the pause"
        );
        assert!(app.send(&good).await.is_ok(), "{header}");
    }
}

/// A provider whose keys cannot be fetched for a moment sends its message only once.
#[tokio::test]
async fn a_message_that_meets_a_failing_key_endpoint_is_carried_out_when_it_works() {
    let mut app = Cold::new().await;
    app.server.open();
    app.server.fail(http::StatusCode::INTERNAL_SERVER_ERROR);
    let session = app.sign_in("ada").await;
    let answer = app.send(&token(&app.server, &app.signer)).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    app.server.publish(jwks(&[&app.signer]));
    assert!(told(&mut app.tellings).await.result.unwrap().ended);
    assert!(!app.is_signed_in(&session).await);
}

#[tokio::test]
async fn keys_are_fetched_ahead_unless_the_app_says_otherwise() {
    let app = Cold::new().await;
    app.server.open();
    let routes = SignOutRoutes::builder(app.cache.clone())
        .client(ClientRegistration::new(&app.server.issuer, CLIENT).algorithms([Algorithm::Es256]))
        .build()
        .unwrap();
    while app.server.asked_for_jwks() == 0 {
        tokio::task::yield_now().await;
    }
    routes.fetch_keys().await.unwrap();
    app.server.hold();
    let answer = send(&routes, &token(&app.server, &app.signer)).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(app.server.asked_for_jwks(), 1);
}

/// The provider replaced its key, and publishes the new one late. The message may be valid.
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
    assert!(told(&mut app.tellings).await.result.unwrap().ended);
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
    let other = ClientRegistration::new("https://id.example", CLIENT).jwks(jwks(&[&app.signer]));
    let routes = SignOutRoutes::builder(app.cache.clone())
        .client(ClientRegistration::new(&app.server.issuer, CLIENT).algorithms([Algorithm::Es256]))
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
