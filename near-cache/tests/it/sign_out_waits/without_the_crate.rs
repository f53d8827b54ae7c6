//! A server whose app does not use this crate, in a fleet with near caches. Its sign-outs are final too: it publishes, and waits for the
//! longest lease.

use std::time::Duration;

use token_cache_core::{
    MemoryStore, NearCacheOutcome, Secret, SignOutScope, TokenCache, Wait,
    test_util::{FailingStore, RuntimeBootTime},
};

use super::{
    cache::{LeasedCache, api, signed_in},
    fleet::{LEASE, ada, is_a_lease, settle, timed},
    origin::gone,
};

const MOMENT: Duration = Duration::from_millis(1);

/// Returns such a server, and one with a near cache.
async fn fleet() -> (TokenCache, LeasedCache) {
    let (store, secret) = (MemoryStore::new(), Secret::random().unwrap());
    let origin = TokenCache::builder(store.clone())
        .secret(secret.clone())
        .boot_time(RuntimeBootTime::new())
        .open()
        .await
        .unwrap();
    let cache = LeasedCache::start(store, &secret).await;
    settle().await;
    settle().await;
    (origin, cache)
}

#[tokio::test(start_paused = true)]
async fn its_sign_out_waits_for_the_longest_lease() {
    let (origin, cache) = fleet().await;
    let ticket = signed_in(&origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let (near_caches, took) = timed(origin.sign_out_account(&ada())).await;
    assert_eq!(gone(&near_caches), (0, 0));
    assert!(is_a_lease(took), "{took:?}");
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn its_sign_out_is_final_for_a_server_that_hears_nothing() {
    let (origin, cache) = fleet().await;
    let ticket = signed_in(&origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    cache.way.freeze_backplane();
    let (_, took) = timed(origin.sign_out_account(&ada())).await;
    assert!(is_a_lease(took), "{took:?}");
    assert!(cache.is_signed_out(&ticket).await);
}

/// A server that renews its lease all the time would never drop what no message names.
#[tokio::test(start_paused = true)]
async fn what_the_store_did_not_publish_is_published() {
    let (origin, cache) = fleet().await;
    let ticket = signed_in(&origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let mut bulk = origin.sign_out_accounts(&[ada()]).unwrap();
    while bulk.step().await.unwrap().is_some() {}
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn without_waiting_it_says_how_long_entries_may_still_be_served() {
    let (origin, cache) = fleet().await;
    let ticket = signed_in(&origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    cache.way.freeze_backplane();
    let scope = SignOutScope::Account(ada());
    let (near_caches, took) = timed(origin.sign_out_with(scope, Wait::None)).await;
    let NearCacheOutcome::NotAwaited { cleared_within } = near_caches else {
        panic!("{near_caches:?}");
    };
    assert!(took.is_zero());
    assert!(cache.hits(&ticket).await);
    assert!(cleared_within > LEASE);
    tokio::time::sleep(cleared_within).await;
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn other_servers_see_its_unconditional_puts() {
    let (origin, cache) = fleet().await;
    let ticket = signed_in(&origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let session = origin.resume_unverified(&ticket).unwrap();
    session.put(&api(), b"another".to_vec()).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    let read = cache.session(&ticket).get(&api()).await.unwrap().unwrap();
    assert_eq!(read.bytes().unwrap(), b"another");
}

#[tokio::test(start_paused = true)]
async fn it_needs_no_backplane_of_its_own() {
    let (store, secret) = (MemoryStore::new(), Secret::random().unwrap());
    let way = FailingStore::new(store.clone());
    let origin = TokenCache::builder(way.clone())
        .secret(secret.clone())
        .boot_time(RuntimeBootTime::new())
        .open()
        .await
        .unwrap();
    let cache = LeasedCache::start(store, &secret).await;
    settle().await;
    settle().await;
    let ticket = signed_in(&origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    // Its connection to the backplane is cut. The eviction itself publishes.
    way.cut_backplane();
    let (_, took) = timed(origin.sign_out_account(&ada())).await;
    assert!(is_a_lease(took), "{took:?}");
    assert!(cache.is_signed_out(&ticket).await);
}
