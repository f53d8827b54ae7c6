//! Whoever signs out knows whether any server keeps copies, also where it was set up long before that one.

use std::time::Duration;

use token_cache_core::{CopiesGone, MemoryStore, NamespaceRecord, TokenStore};

use crate::{
    fleet::{Fleet, LEASE, ada, is_a_lease, server, settle, timed},
    peer::{Peer, say_that_copies_are_kept},
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
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert!(matches!(copies, CopiesGone::Gone { .. }), "{copies:?}");
    assert!(is_a_lease(took), "{took:?}");
    assert_eq!(peer.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_that_took_long_is_announced_after_all() {
    let fleet = Fleet::new().await;
    let late = Duration::from_secs(4);
    fleet.way.answer_late(late);
    let signer = fleet.signer.clone();
    let signing = tokio::spawn(async move { timed(signer.sign_out_account(&ada())).await });
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let peer = Peer::join(&fleet.store).await;
    peer.fall_silent();
    let (copies, took) = signing.await.unwrap();
    let CopiesGone::Gone { silent, .. } = copies else {
        panic!("{copies:?}");
    };
    assert_eq!(silent, [peer.server]);
    assert!(took > late + LEASE, "{took:?}");
    assert_eq!(peer.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_while_it_evicted_announces_after_all() {
    let fleet = Fleet::new().await;
    fleet.way.answer_late(Duration::from_millis(10));
    let signer = fleet.signer.clone();
    let signing = tokio::spawn(async move { timed(signer.sign_out_account(&ada())).await });
    tokio::time::sleep(Duration::from_millis(5)).await;
    let peer = Peer::join(&fleet.store).await;
    fleet.boot.sleep(Duration::from_secs(10));
    let (copies, _) = signing.await.unwrap();
    assert!(matches!(copies, CopiesGone::Gone { .. }), "{copies:?}");
    assert_eq!(peer.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_lost_is_put_back_with_what_it_said_of_copies() {
    let fleet = Fleet::new().await;
    say_that_copies_are_kept(&fleet.store).await;
    settle().await;
    assert_eq!(fleet.signer.longest_copy_life().unwrap(), LEASE);
    let lost = record(&fleet.store).await;
    let older = NamespaceRecord::new(0, lost.check);
    fleet.signer.raise_generation().await.unwrap();
    let raised = record(&fleet.store).await;
    assert_eq!(raised.longest_copy_life, LEASE);
    replace(&fleet.store, &older).await;
    settle().await;
    assert_eq!(record(&fleet.store).await, raised);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_leaves_what_the_record_says_of_copies() {
    let fleet = Fleet::new().await;
    say_that_copies_are_kept(&fleet.store).await;
    let other = server(fleet.store.clone(), &fleet.secret, &fleet.boot).await;
    assert_eq!(other.longest_copy_life().unwrap(), LEASE);
    assert_eq!(record(&fleet.store).await.longest_copy_life, LEASE);
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_lower_it_and_every_server_hears_of_it() {
    let fleet = Fleet::new().await;
    say_that_copies_are_kept(&fleet.store).await;
    let other = server(fleet.store.clone(), &fleet.secret, &fleet.boot).await;
    settle().await;
    other.set_longest_copy_life(Duration::ZERO).await.unwrap();
    assert_eq!(other.longest_copy_life().unwrap(), Duration::ZERO);
    settle().await;
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!((copies, took), (CopiesGone::NoneKept, Duration::ZERO));
}
