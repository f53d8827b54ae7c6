//! A provider ends a `sid` without index entries: no user signed in under it, or the store has lost its data.

use std::{sync::Arc, time::Duration};

use token_cache_core::{Invalidation, LogoutMessage, NearCacheOutcome, SignOut, Timestamp};

use super::{
    fleet::{Fleet, is_a_lease, settle, timed},
    origin::gone,
    peer::Peer,
};

async fn signs_out(fleet: &Fleet) -> token_cache_core::Result<SignOut> {
    let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1))?;
    fleet.origin.sign_out_by(&message.sid("s1")?).await
}

async fn settled() -> (Fleet, Arc<Peer>) {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    (fleet, peer)
}

#[tokio::test(start_paused = true)]
async fn nobody_drops_cached_entries_and_nothing_is_waited_for_but_the_answers() {
    let (fleet, peer) = settled().await;
    let (near_caches, took) = timed(signs_out(&fleet)).await;
    assert_eq!((gone(&near_caches), took), ((1, 0), Duration::ZERO));
    assert_eq!(peer.heard(), [Invalidation::Accounts(Vec::new())]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_waited_out_where_the_registry_was_lost_as_well() {
    let (fleet, _peer) = settled().await;
    fleet.store.lose_registry();
    let (near_caches, took) = timed(signs_out(&fleet)).await;
    assert_eq!(gone(&near_caches), (0, 0));
    assert!(is_a_lease(took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_has_a_near_cache_nobody_is_asked() {
    let fleet = Fleet::new().await;
    settle().await;
    let (near_caches, took) = timed(signs_out(&fleet)).await;
    assert_eq!(
        (near_caches, took),
        (NearCacheOutcome::Unused, Duration::ZERO)
    );
}
