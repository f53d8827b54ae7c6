//! A message has one task, which ends the sessions and then calls the app's hook. Its repetitions join it until its last answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use serde_json::json;
use token_cache_core::ErrorKind;
use token_cache_sign_out::{Algorithm, SignOutEvent};
use tokio::{
    runtime::{Handle, Runtime},
    sync::{mpsc, watch},
};

use crate::{
    rig::{As, ISSUER, Rig, told},
    shared_signals::{ada, claims, push, signed},
};

const ACCOUNT_DISABLED: &str =
    "https://schemas.openid.net/secevent/risc/event-type/account-disabled";

/// An app whose hook tells the test of each sign-out, and then waits until `hooks` is `true`.
struct App {
    rig: Rig,
    tellings: mpsc::UnboundedReceiver<SignOutEvent>,
    hooks: watch::Sender<bool>,
}

impl App {
    async fn new() -> Self {
        let (tell, tellings) = mpsc::unbounded_channel();
        let (hooks, gate) = watch::channel(false);
        let rig = Rig::with(Algorithm::Es256, |routes| {
            routes.on_sign_out(move |event| {
                let (tell, mut gate) = (tell.clone(), gate.clone());
                async move {
                    tell.send(event).unwrap();
                    gate.wait_for(|open| *open).await.unwrap();
                }
            })
        })
        .await;
        Self {
            rig,
            tellings,
            hooks,
        }
    }
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn a_message_has_one_task_from_its_token_to_the_end_of_the_hook() {
    let mut app = App::new().await;
    let before = tasks();
    for number in 1..=3 {
        let token = app.rig.token(Some(&format!("user {number}")), None);
        assert!(app.rig.send(&token).await.is_ok());
        told(&mut app.tellings).await;
        assert_eq!(tasks() - before, number, "the hooks still run");
    }
    app.hooks.send_replace(true);
    while tasks() > before {
        tokio::task::yield_now().await;
    }
}

/// The sign-out is part of that task, and the provider's tries have none.
#[tokio::test]
async fn a_message_has_one_task_while_its_sessions_end() {
    let app = App::new().await;
    let (routes, token) = (&app.rig.routes, app.rig.token(Some("ada"), None));
    app.rig.store.answer_late(Duration::from_millis(200));
    let before = tasks();
    let requests = app.rig.store.requests();
    let watch = async {
        while app.rig.store.requests() == requests {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks() - before, 1);
    };
    let send = || routes.back_channel_logout(crate::rig::post(&token));
    let (one, other, ()) = tokio::join!(send(), send(), watch);
    assert_eq!(
        (one.status(), other.status()),
        (StatusCode::OK, StatusCode::OK)
    );
}

#[tokio::test]
async fn the_same_message_twice_at_once_ends_its_sessions_once() {
    let mut app = App::new().await;
    app.hooks.send_replace(true);
    let ticket = app.rig.sign_in("ada", As::default()).await;
    let token = app.rig.token(Some("ada"), None);
    let before = app.rig.store.requests();
    let (one, other) = tokio::join!(app.rig.send(&token), app.rig.send(&token));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(app.rig.store.requests() - before, 1);
    assert!(!app.rig.is_signed_in(&ticket).await);
    assert!(told(&mut app.tellings).await.result.unwrap().ended);
    assert!(app.tellings.is_empty(), "it was told once");
}

/// The failed message has had its last answer, so the provider's next try does not get it again.
#[tokio::test]
async fn the_retry_of_a_failed_message_runs_again_while_the_hook_still_hears_of_the_failure() {
    let mut app = App::new().await;
    let ticket = app.rig.sign_in("ada", As::default()).await;
    let token = app.rig.token(Some("ada"), None);
    app.rig.store.fail_with(ErrorKind::Unavailable);
    assert_eq!(app.rig.send(&token).await.status, 503);
    assert!(told(&mut app.tellings).await.result.is_err());
    app.rig.store.work();
    assert!(app.rig.send(&token).await.is_ok());
    assert!(!app.rig.is_signed_in(&ticket).await);
    assert!(told(&mut app.tellings).await.result.unwrap().ended);
}

#[tokio::test]
async fn a_hook_that_panics_at_one_name_of_a_message_is_told_of_the_others() {
    let (tell, mut tellings) = mpsc::unbounded_channel();
    let is_first = Arc::new(AtomicBool::new(true));
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.on_sign_out(move |event| {
            // It panics before there is a future, and not in it.
            assert!(!is_first.swap(false, Ordering::SeqCst), "the app's fault");
            let tell = tell.clone();
            async move { tell.send(event).unwrap() }
        })
    })
    .await;
    let tickets = [
        rig.sign_in("ada", As::default()).await,
        rig.sign_in("grace", As::default()).await,
    ];
    let opaque = |id| json!({"format": "opaque", "id": id});
    let both = json!({"format": "aliases", "identifiers": [ada(), opaque("ada"), opaque("grace")]});
    let token = signed(&rig, &claims(&rig, ACCOUNT_DISABLED, both));
    let answer = rig.routes.security_event(push(token)).await;
    assert_eq!(answer.status(), 202);
    for ticket in &tickets {
        assert!(!rig.is_signed_in(ticket).await);
    }
    let event = told(&mut tellings).await;
    assert_eq!(event.account.unwrap().issuer(), ISSUER);
    drop(rig);
    assert!(tellings.recv().await.is_none(), "two names, two calls");
}

/// Each worker of actix-web has its own runtime, which stops independently.
#[test]
fn a_message_whose_runtime_stops_leaves_room_for_its_repetition() {
    let [stopped, other] = [(); 2].map(|()| Runtime::new().unwrap());
    let mut app = other.block_on(App::new());
    app.hooks.send_replace(true);
    let ticket = other.block_on(app.rig.sign_in("ada", As::default()));
    let token = app.rig.token(Some("ada"), None);
    app.rig.store.answer_late(Duration::from_secs(60));
    let (routes, sent) = (app.rig.routes.clone(), token.clone());
    let requests = app.rig.store.requests();
    stopped.spawn(async move { routes.back_channel_logout(crate::rig::post(&sent)).await });
    while app.rig.store.requests() == requests {
        std::thread::yield_now();
    }
    drop(stopped);
    app.rig.store.work();
    other.block_on(async {
        assert!(app.rig.send(&token).await.is_ok());
        assert!(!app.rig.is_signed_in(&ticket).await);
        told(&mut app.tellings).await;
    });
}
