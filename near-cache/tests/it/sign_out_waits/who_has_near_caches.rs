//! An origin knows whether any server has a near cache, even if the origin was set up long before that server.

use std::time::Duration;

use token_cache_core::{MemoryStore, NamespaceRecord, NearCacheOutcome, TokenStore};
use tokio::time::Instant;

use super::{
    cache::{LeasedCache, signed_in},
    fleet::{Fleet, LEASE, ada, is_a_lease, server, settle, timed},
    peer::{Peer, record_near_cache_life},
};

async fn record(store: &MemoryStore) -> NamespaceRecord {
    let store: &dyn TokenStore = store;
    store.namespace().await.unwrap().record.unwrap()
}

async fn replace(store: &MemoryStore, record: &NamespaceRecord) {
    let store: &dyn TokenStore = store;
    let read = store.namespace().await.unwrap().record;
    assert!(store.set_namespace(read.as_ref(), record).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_looks_again_before_it_signs_out() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    fleet.boot.sleep(Duration::from_secs(10));
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert!(
        matches!(near_caches, NearCacheOutcome::Cleared { .. }),
        "{near_caches:?}"
    );
    assert!(is_a_lease(took), "{took:?}");
    assert_eq!(peer.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_that_took_long_is_published_after_all() {
    let fleet = Fleet::new().await;
    let late = Duration::from_secs(4);
    fleet.way.answer_late(late);
    let origin = fleet.origin.clone();
    let signing = tokio::spawn(async move { timed(origin.sign_out_account(&ada())).await });
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let peer = Peer::join(&fleet.store).await;
    peer.fall_silent();
    let (near_caches, took) = signing.await.unwrap();
    let NearCacheOutcome::Cleared { silent, .. } = near_caches else {
        panic!("{near_caches:?}");
    };
    assert_eq!(silent, [peer.server]);
    assert!(took > late + LEASE, "{took:?}");
    assert_eq!(peer.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_while_it_evicted_publishes_after_all() {
    let fleet = Fleet::new().await;
    fleet.way.answer_late(Duration::from_millis(10));
    let origin = fleet.origin.clone();
    let signing = tokio::spawn(async move { timed(origin.sign_out_account(&ada())).await });
    tokio::time::sleep(Duration::from_millis(5)).await;
    let peer = Peer::join(&fleet.store).await;
    fleet.boot.sleep(Duration::from_secs(10));
    let (near_caches, _) = signing.await.unwrap();
    assert!(
        matches!(near_caches, NearCacheOutcome::Cleared { .. }),
        "{near_caches:?}"
    );
    assert_eq!(peer.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_lost_is_restored_with_the_near_cache_life_that_it_had() {
    let fleet = Fleet::new().await;
    record_near_cache_life(&fleet.store).await;
    settle().await;
    assert_eq!(fleet.origin.longest_near_cache_life().unwrap(), LEASE);
    let lost = record(&fleet.store).await;
    let older = NamespaceRecord::new(0, lost.check);
    fleet.origin.raise_generation().await.unwrap();
    let raised = record(&fleet.store).await;
    assert_eq!(raised.longest_near_cache_life, LEASE);
    replace(&fleet.store, &older).await;
    settle().await;
    assert_eq!(record(&fleet.store).await, raised);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_leaves_the_near_cache_life_in_the_record() {
    let fleet = Fleet::new().await;
    record_near_cache_life(&fleet.store).await;
    let other = server(fleet.store.clone(), &fleet.secret, &fleet.boot).await;
    assert_eq!(other.longest_near_cache_life().unwrap(), LEASE);
    assert_eq!(record(&fleet.store).await.longest_near_cache_life, LEASE);
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_lower_it_and_every_server_hears_of_it() {
    let fleet = Fleet::new().await;
    record_near_cache_life(&fleet.store).await;
    let other = server(fleet.store.clone(), &fleet.secret, &fleet.boot).await;
    settle().await;
    other
        .set_longest_near_cache_life(Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        record(&fleet.store).await.longest_near_cache_life,
        Duration::ZERO
    );
    // The lower value is not accepted at once, because a server that still has a near cache raises the record again.
    assert_eq!(other.longest_near_cache_life().unwrap(), LEASE);
    settle().await;
    settle().await;
    assert_eq!(other.longest_near_cache_life().unwrap(), Duration::ZERO);
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(
        (near_caches, took),
        (NearCacheOutcome::Unused, Duration::ZERO)
    );
}

/// Writes the first record of an emptied store, as a server does that does not know the fleet.
async fn writes_it_anew(store: &MemoryStore) {
    let first = NamespaceRecord::new(0, record(store).await.check);
    replace(store, &first).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_near_cache_life_is_not_believed_at_once() {
    let fleet = Fleet::new().await;
    let begun = Instant::now();
    let at = async |millis| tokio::time::sleep_until(begun + Duration::from_millis(millis)).await;
    // The origin reads the record at each full second, and the server with the near cache half a second later.
    at(500).await;
    let cache = LeasedCache::start(fleet.store.clone(), &fleet.secret).await;
    at(10_000).await;
    let ticket = signed_in(&fleet.origin).await;
    at(10_600).await;
    cache.populate(&ticket).await;
    writes_it_anew(&fleet.store).await;
    at(11_100).await;
    assert!(cache.hits(&ticket).await);
    let (near_caches, _) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert!(cache.is_signed_out(&ticket).await);
    assert!(
        matches!(near_caches, NearCacheOutcome::Cleared { .. }),
        "{near_caches:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_new_to_an_emptied_store_needs_to_know_of_nobody() {
    let fleet = Fleet::new().await;
    let begun = Instant::now();
    let at = async |millis| tokio::time::sleep_until(begun + Duration::from_millis(millis)).await;
    at(500).await;
    let cache = LeasedCache::start(fleet.store.clone(), &fleet.secret).await;
    at(10_600).await;
    fleet.store.lose_registry();
    writes_it_anew(&fleet.store).await;
    let new = server(fleet.store.clone(), &fleet.secret, &fleet.boot).await;
    // The server with the near cache has renewed its lease, and has not read the record yet.
    at(11_000).await;
    let ticket = signed_in(&new).await;
    assert!(cache.read(&ticket).await.0.unwrap().is_some());
    let session = new.resume_unverified(&ticket).unwrap();
    let (near_caches, _) = timed(session.sign_out()).await;
    assert_eq!(near_caches, NearCacheOutcome::Unused);
    assert!(cache.is_signed_out(&ticket).await);
    // It has read the record in the meantime, and every other server has read it after that.
    at(17_000).await;
    let ticket = signed_in(&new).await;
    at(17_010).await;
    cache.populate(&ticket).await;
}
