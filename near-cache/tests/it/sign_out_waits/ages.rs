//! On a store without a backplane, near-cache entries expire by age, and a sign-out waits for the maximum age.

use token_cache_core::{
    MemoryStore, NearCacheOutcome, SignOutScope, Wait, test_util::FailingStore,
};

use super::{
    fleet::{Fleet, ada, is_a_lease, settle, timed},
    peer::record_near_cache_life,
};

async fn without_backplane() -> Fleet {
    let without_backplane = |store: MemoryStore| FailingStore::new(store).without_backplane();
    let fleet = Fleet::over(MemoryStore::new(), without_backplane).await;
    record_near_cache_life(&fleet.store).await;
    settle().await;
    fleet
}

#[tokio::test(start_paused = true)]
async fn the_greatest_age_is_waited_out_each_time() {
    let fleet = without_backplane().await;
    for _ in 0..2 {
        let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
        assert!(is_a_lease(took), "{took:?}");
        let NearCacheOutcome::Cleared {
            servers,
            silent,
            waited,
        } = near_caches
        else {
            panic!("{near_caches:?}");
        };
        assert!(servers.is_empty() && silent.is_empty());
        assert_eq!(waited, took);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_wait_it_says_how_long_cached_entries_live() {
    let fleet = without_backplane().await;
    let scope = SignOutScope::Account(ada());
    let (near_caches, took) = timed(fleet.origin.sign_out_with(scope, Wait::None)).await;
    let NearCacheOutcome::NotAwaited { cleared_within } = near_caches else {
        panic!("{near_caches:?}");
    };
    assert!(took.is_zero() && is_a_lease(cleared_within));
}

#[tokio::test(start_paused = true)]
async fn accounts_signed_out_together_are_waited_for_together() {
    let fleet = without_backplane().await;
    let mut many = fleet.origin.sign_out_accounts(&[ada(), ada()]).unwrap();
    let begun = tokio::time::Instant::now();
    many.step().await.unwrap();
    assert!(is_a_lease(begun.elapsed()), "{:?}", begun.elapsed());
}
