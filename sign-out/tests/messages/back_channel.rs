//! A valid logout token when the store fails, and when the token is repeated, late or the provider disconnects.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use token_cache_core::{ErrorKind, MemoryStore, Secret, SignOutScopeKind, TokenCache};
use token_cache_sign_out::{
    Algorithm, ClaimRequirement, ClientRegistration, KeyFetch, SignOutCause, SignOutRoutes,
};
use tokio::sync::{mpsc, watch};

use crate::{
    keys_server::KeysServer,
    rig::{Answer, As, CLIENT, ISSUER, Rig, post, post_form, told},
    signer::{Signer, jwks},
};

const S1: As<'static> = As {
    sid: Some("s1"),
    issuer: None,
};

#[tokio::test]
async fn every_algorithm_that_a_client_may_be_registered_with() {
    for algorithm in [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ] {
        let rig = Rig::with(algorithm, |routes| routes).await;
        let ticket = rig.sign_in("ada", S1).await;
        let answer = rig.send(&rig.token(Some("ada"), None)).await;
        assert!(answer.is_ok(), "{algorithm:?}: {answer:?}");
        assert!(!rig.is_signed_in(&ticket).await);
    }
}

#[tokio::test]
async fn a_user_who_is_not_signed_in_has_signed_out() {
    let rig = Rig::new().await;
    assert!(rig.send(&rig.token(Some("nobody"), None)).await.is_ok());
    assert!(rig.send(&rig.token(None, Some("unknown"))).await.is_ok());
}

#[tokio::test]
async fn a_failed_eviction_is_never_ok_and_the_provider_s_retry_succeeds() {
    let rig = Rig::new().await;
    let ticket = rig.sign_in("ada", S1).await;
    let token = rig.token(Some("ada"), Some("s1"));
    rig.store.fail_with(ErrorKind::Unavailable);
    let answer = rig.send(&token).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.retry_after);
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    rig.store.work();
    assert!(rig.is_signed_in(&ticket).await, "nothing was ended");
    assert!(rig.send(&token).await.is_ok());
    assert!(!rig.is_signed_in(&ticket).await);
}

#[tokio::test]
async fn an_eviction_whose_answer_was_lost_is_asked_for_again() {
    let rig = Rig::new().await;
    let ticket = rig.sign_in("ada", S1).await;
    let token = rig.token(Some("ada"), None);
    rig.store.lose_answers_with(ErrorKind::TimedOut);
    assert_eq!(rig.send(&token).await.status, 503);
    rig.store.work();
    assert!(!rig.is_signed_in(&ticket).await);
    assert!(rig.send(&token).await.is_ok());
}

/// The store takes longer than the provider waits. The provider's next attempt joins the running sign-out, and no
/// second one starts.
#[tokio::test(start_paused = true)]
async fn the_retry_of_a_message_joins_the_eviction_that_is_under_way() {
    let (tell, mut tellings) = mpsc::unbounded_channel();
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.on_sign_out(move |event| {
            let tell = tell.clone();
            async move { tell.send(event).unwrap() }
        })
    })
    .await;
    let ticket = rig.sign_in("ada", S1).await;
    let token = rig.token(Some("ada"), None);
    rig.store.answer_late(Duration::from_secs(2));
    let late = rig.send(&token).await;
    assert_eq!(late.status, 503, "{late:?}");
    assert!(late.retry_after);
    let asked = tokio::time::Instant::now();
    assert!(rig.send(&token).await.is_ok());
    assert!(asked.elapsed() < Duration::from_secs(1), "it began before");
    rig.store.work();
    assert!(!rig.is_signed_in(&ticket).await);
    assert!(told(&mut tellings).await.result.unwrap().ended);
    assert!(tellings.is_empty(), "one eviction");
}

/// Two servers receive the same token at the same time, and again after the user has signed in again.
#[tokio::test]
async fn the_same_token_at_two_servers_and_later_hits_nobody_who_signed_in_since() {
    let rig = Rig::new().await;
    let other = SignOutRoutes::builder(rig.other_server().await)
        .client(
            ClientRegistration::new(ISSUER, CLIENT)
                .algorithms([Algorithm::Es256])
                .jwks(jwks(&[&rig.signer])),
        )
        .build()
        .unwrap();
    let old = rig.sign_in("ada", As::default()).await;
    rig.clock.advance(Duration::from_secs(1));
    let token = rig.token(Some("ada"), None);
    let (here, there) = tokio::join!(
        rig.routes.back_channel_logout(post(&token)),
        other.back_channel_logout(post(&token))
    );
    assert!(Answer::of(here).is_ok() && Answer::of(there).is_ok());
    assert!(!rig.is_signed_in(&old).await);
    rig.clock.advance(Duration::from_secs(1));
    let new = rig.sign_in("ada", As::default()).await;
    assert!(rig.send(&token).await.is_ok());
    assert!(Answer::of(other.back_channel_logout(post(&token)).await).is_ok());
    assert!(rig.is_signed_in(&new).await);
}

#[tokio::test]
async fn several_issuers_and_clients_at_one_address() {
    let there = Signer::new("1", Algorithm::Rs256);
    let (keys, issuer) = (jwks(&[&there]), "https://id.example.org");
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes
            .client(ClientRegistration::new(issuer, "shop").jwks(keys.clone()))
            .client(ClientRegistration::new(issuer, "shop-app").jwks(keys))
    })
    .await;
    let here = rig.sign_in("ada", S1).await;
    let abroad = As {
        issuer: Some(issuer),
        sid: Some("s1"),
    };
    let abroad = rig.sign_in("ada", abroad).await;
    let header = r#"{"alg":"RS256","kid":"1"}"#;
    let mut claims = rig.claims();
    claims["iss"] = issuer.into();
    claims["sub"] = "ada".into();
    claims["aud"] = serde_json::json!(["shop", "shop-app"]);

    let forged = rig.signed(&claims);
    assert_eq!(rig.send(&forged).await.status, 400, "by the other's key");
    let answer = rig.send(&there.sign(header, &claims.to_string())).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(rig.is_signed_in(&here).await);
    assert!(!rig.is_signed_in(&abroad).await);
}

#[tokio::test]
async fn a_client_takes_no_algorithm_that_another_of_the_issuer_is_registered_with() {
    let other = Signer::new("2", Algorithm::Rs256);
    let keys = jwks(&[&other]);
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.client(ClientRegistration::new(ISSUER, "shop-app").jwks(keys))
    })
    .await;
    let ticket = rig.sign_in("ada", S1).await;
    let mut claims = rig.claims();
    claims["sub"] = "ada".into();
    for (audience, status) in [(CLIENT, 400), ("shop-app", 200)] {
        claims["aud"] = audience.into();
        let token = other.sign(r#"{"alg":"RS256","kid":"2"}"#, &claims.to_string());
        assert_eq!(rig.send(&token).await.status, status, "{audience}");
        assert_eq!(rig.is_signed_in(&ticket).await, status == 400, "{audience}");
    }
}

#[tokio::test]
async fn a_token_without_exp_is_taken_where_the_client_says_so_until_it_is_too_old() {
    let signer = Signer::new("1", Algorithm::Es256);
    let client = ClientRegistration::new(ISSUER, CLIENT)
        .algorithms([Algorithm::Es256])
        .jwks(jwks(&[&signer]))
        .exp_claim(ClaimRequirement::Optional)
        .max_token_age(Duration::from_secs(300));
    let rig = Rig::of(signer, token_cache_core::SidMeaning::Session, |cache| {
        SignOutRoutes::builder(cache).client(client)
    })
    .await;
    let mut claims = rig.claims();
    claims.as_object_mut().unwrap().remove("exp");
    claims["sub"] = "ada".into();
    let token = rig.signed(&claims);
    rig.clock.advance(Duration::from_secs(360));
    assert!(rig.send(&token).await.is_ok());
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(rig.send(&token).await.status, 400);
}

/// The hook blocks until it is released. The sessions have ended by then, and the response does not wait for the hook.
#[tokio::test]
async fn a_hook_is_told_once_for_each_message_and_delays_no_answer() {
    let (tell, mut tellings) = mpsc::unbounded_channel();
    let (open, gate) = watch::channel(false);
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.on_sign_out(move |event| {
            let (tell, mut gate) = (tell.clone(), gate.clone());
            async move {
                gate.wait_for(|open| *open).await.unwrap();
                tell.send(event).unwrap();
            }
        })
    })
    .await;
    let ticket = rig.sign_in("ada", S1).await;
    let (account, session) = (
        rig.token(Some("ada"), None),
        rig.token(Some("ada"), Some("s1")),
    );
    assert!(rig.send(&account).await.is_ok());
    assert!(!rig.is_signed_in(&ticket).await);
    rig.store.fail_with(ErrorKind::Unavailable);
    assert_eq!(rig.send(&session).await.status, 503);
    open.send_replace(true);

    let mut events = [told(&mut tellings).await, told(&mut tellings).await];
    events.sort_by_key(|event| event.result.is_err());
    let [ended, failed] = events;
    assert_eq!(ended.cause, SignOutCause::BackChannel);
    assert_eq!(ended.scope, SignOutScopeKind::Account);
    assert_eq!(ended.account.unwrap().subject(), "ada");
    assert!(ended.result.unwrap().ended);
    assert_eq!(failed.scope, SignOutScopeKind::ProviderSession);
    assert_eq!(failed.provider_session.unwrap().sid(), "s1");
    assert!(tellings.is_empty(), "once each");
}

#[tokio::test]
async fn a_hook_that_panics_stops_nothing() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let rig = Rig::with(Algorithm::Es256, |routes| {
        routes.on_sign_out(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { panic!("the app's own fault") }
        })
    })
    .await;
    let ticket = rig.sign_in("ada", S1).await;
    let token = rig.token(Some("ada"), None);
    assert!(rig.send(&token).await.is_ok());
    assert!(rig.send(&token).await.is_ok());
    assert!(!rig.is_signed_in(&ticket).await);
    while calls.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
}

/// The provider disconnects while its keys are fetched. The message was received, so it is processed.
#[tokio::test]
async fn a_provider_that_hangs_up_in_the_middle_stops_no_eviction() {
    let signer = Signer::new("1", Algorithm::Es256);
    let server = KeysServer::start(jwks(&[&signer])).await;
    let (tell, mut tellings) = mpsc::unbounded_channel();
    let cache = TokenCache::open(MemoryStore::new(), Secret::random().unwrap())
        .await
        .unwrap();
    let client = ClientRegistration::new(&server.issuer, CLIENT).algorithms([Algorithm::Es256]);
    let routes = SignOutRoutes::builder(cache.clone())
        .client(client)
        .key_fetch(KeyFetch::OnDemand)
        .on_sign_out(move |event| {
            let tell = tell.clone();
            async move { tell.send(event).unwrap() }
        })
        .build()
        .unwrap();
    let started = cache.start_sign_in().unwrap();
    let account = token_cache_core::AccountId::new(&server.issuer, "ada").unwrap();
    let session = cache
        .sign_in(token_cache_core::SignIn::new(account, &started))
        .await
        .unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = serde_json::json!({
        "iss": server.issuer, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 60, "jti": "1",
        "events": {crate::rig::EVENT: {}},
    });
    let token = signer.sign(r#"{"alg":"ES256","kid":"1"}"#, &claims.to_string());

    server.hold();
    let request = {
        let routes = routes.clone();
        tokio::spawn(async move { routes.back_channel_logout(post(&token)).await })
    };
    while server.asked_for_discovery() == 0 {
        tokio::task::yield_now().await;
    }
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    server.open();
    let event = told(&mut tellings).await;
    assert!(event.result.unwrap().ended);
    let ticket = session.ticket().unwrap();
    assert!(cache.resume(&ticket).await.unwrap_err().is_signed_out());
}

#[tokio::test]
async fn requests_that_are_no_logout_message_of_any_sort() {
    let rig = Rig::new().await;
    let token = rig.token(Some("ada"), None);
    let send = async |request: Request<Full<Bytes>>| {
        let answer = Answer::of(rig.routes.back_channel_logout(request).await);
        answer.status.as_u16()
    };
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let mut request = post(&token);
        *request.method_mut() = method.parse().unwrap();
        assert_eq!(send(request).await, 405, "{method}");
    }
    for kind in [
        "",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let mut request = post(&token);
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        assert_eq!(send(request).await, 415, "{kind}");
    }
    let mut request = post(&token);
    request.headers_mut().remove("content-type");
    assert_eq!(send(request).await, 415);
    let long = format!("logout_token={token}&x={}", "y".repeat(64 * 1024));
    assert_eq!(send(post_form(long)).await, 413);
    let others = format!("client_id=x&logout_token={token}&client_id=y");
    assert_eq!(send(post_form(others)).await, 200);
}
