//! A store without a link: copies die of age, and a sign-out waits the greatest age out.

use token_cache_core::{CopiesGone, MemoryStore, SignOutScope, Wait, test_util::FailingStore};

use crate::{
    fleet::{Fleet, ada, is_a_lease, settle, timed},
    peer::say_that_copies_are_kept,
};

async fn linkless() -> Fleet {
    let without_link = |store: MemoryStore| FailingStore::new(store).without_link();
    let fleet = Fleet::over(MemoryStore::new(), without_link).await;
    say_that_copies_are_kept(&fleet.store).await;
    settle().await;
    fleet
}

#[tokio::test(start_paused = true)]
async fn the_greatest_age_is_waited_out_each_time() {
    let fleet = linkless().await;
    for _ in 0..2 {
        let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
        assert!(is_a_lease(took), "{took:?}");
        let CopiesGone::Gone {
            servers,
            silent,
            waited,
        } = copies
        else {
            panic!("{copies:?}");
        };
        assert!(servers.is_empty() && silent.is_empty());
        assert_eq!(waited, took);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_wait_it_says_how_long_copies_live() {
    let fleet = linkless().await;
    let scope = SignOutScope::Account(ada());
    let (copies, took) = timed(fleet.signer.sign_out_with(scope, Wait::None)).await;
    let CopiesGone::NotAwaited { gone_within } = copies else {
        panic!("{copies:?}");
    };
    assert!(took.is_zero() && is_a_lease(gone_within));
}

#[tokio::test(start_paused = true)]
async fn accounts_signed_out_together_are_waited_for_together() {
    let fleet = linkless().await;
    let mut many = fleet.signer.sign_out_accounts(&[ada(), ada()]).unwrap();
    let begun = tokio::time::Instant::now();
    many.step().await.unwrap();
    assert!(is_a_lease(begun.elapsed()), "{:?}", begun.elapsed());
}
