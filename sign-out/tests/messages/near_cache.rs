//! Servers with near caches: a provider receives its response when no server can serve the session any more, and before
//! the provider disconnects.

use std::time::Duration;

use token_cache_core::{TokenStore, Wait};
use token_cache_sign_out::{Algorithm, ClientRegistration, SignOutRoutes};
use tokio::time::Instant;

use crate::{
    rig::{As, CLIENT, ISSUER, Rig, post},
    signer::jwks,
};

const AGE: Duration = Duration::from_secs(1);

/// Returns a server whose near cache keeps entries for up to `longest`, on a store without a backplane. Every sign-out
/// waits as long, as with a backplane after a server crashed.
async fn fleet(longest: Duration) -> Rig {
    let rig = Rig::new().await;
    let store: &dyn TokenStore = &rig.store.clone().without_backplane();
    let record = store.namespace().await.unwrap().record.unwrap();
    let raised = record.with_near_cache(longest);
    assert!(store.set_namespace(Some(&record), &raised).await.unwrap());
    // Every server reads the setting.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.cache.longest_near_cache_life().unwrap(), longest);
    rig
}

fn routes(rig: &Rig, wait: Wait) -> Result<SignOutRoutes, String> {
    let client = ClientRegistration::new(ISSUER, CLIENT)
        .algorithms([Algorithm::Es256])
        .jwks(jwks(&[&rig.signer]));
    let routes = SignOutRoutes::builder(rig.cache.clone()).client(client);
    let built = routes.wait(wait).build();
    built.map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_fits_the_bounds_as_they_come() {
    let rig = fleet(AGE).await;
    let ticket = rig.sign_in("ada", As::default()).await;
    let asked = Instant::now();
    assert!(rig.send(&rig.token(Some("ada"), None)).await.is_ok());
    assert!(asked.elapsed() > AGE, "{:?}", asked.elapsed());
    assert!(!rig.is_signed_in(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_late_goes_on_and_the_retry_joins_it() {
    let rig = fleet(AGE).await;
    rig.store.answer_late(Duration::from_millis(300));
    let token = rig.token(Some("ada"), None);
    let asked = Instant::now();
    let late = rig.send(&token).await;
    assert_eq!(late.status, 503, "{late:?}");
    assert!(rig.send(&token).await.is_ok());
    assert!(asked.elapsed() < 2 * AGE, "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn routes_that_could_not_wait_for_the_fleets_cached_entries_are_refused() {
    let rig = fleet(5 * AGE).await;
    let refused = routes(&rig, Wait::Everywhere).unwrap_err();
    assert!(
        refused.contains("5s") && refused.contains("1.2s"),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn routes_that_do_not_wait_answer_at_once() {
    let rig = fleet(5 * AGE).await;
    let routes = routes(&rig, Wait::None).unwrap();
    let asked = Instant::now();
    let token = rig.token(Some("ada"), None);
    let answer = routes.back_channel_logout(post(&token)).await;
    assert_eq!(answer.status(), 200);
    assert!(asked.elapsed().is_zero(), "{:?}", asked.elapsed());
}
