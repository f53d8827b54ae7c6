//! Whole servers: one signs out, others serve copies until then.

use std::time::Duration;

use token_cache_core::{
    AccountKey, CopiesGone, CutoffTime, ErrorKind, EvictOptions, EvictTarget, MemoryStore, Scan,
    SignIn, TokenCache, TokenStore, local::CopyPolicy, test_util::FailingStore,
};

use crate::{
    fleet::{Fleet, LEASE, ada, is_a_lease, settle, timed},
    keeper::{Keeper, SERVES_AFTER, api, signed_in},
    signer::gone,
};

const MOMENT: Duration = Duration::from_millis(1);

/// A signer without copies, and two servers that serve them.
async fn fleet() -> (Fleet, [Keeper; 2]) {
    let fleet = Fleet::new().await;
    let keepers = [
        Keeper::start(fleet.store.clone(), &fleet.secret).await,
        Keeper::start(fleet.store.clone(), &fleet.secret).await,
    ];
    settle().await;
    settle().await;
    (fleet, keepers)
}

#[tokio::test(start_paused = true)]
async fn no_server_serves_a_copy_of_what_was_signed_out() {
    let (fleet, keepers) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    for keeper in &keepers {
        keeper.fill(&ticket).await;
    }
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!((gone(&copies), took), ((2, 0), Duration::ZERO));
    for keeper in &keepers {
        assert!(keeper.is_signed_out(&ticket).await);
    }
}

#[tokio::test(start_paused = true)]
async fn servers_that_keep_copies_sign_out_as_well_two_at_once_too() {
    let (fleet, [one, other]) = fleet().await;
    let tickets = [
        signed_in(&fleet.signer).await,
        signed_in(&fleet.signer).await,
    ];
    tokio::time::sleep(MOMENT).await;
    for ticket in &tickets {
        one.fill(ticket).await;
        other.fill(ticket).await;
    }
    let (here, there) = (one.session(&tickets[0]), other.session(&tickets[1]));
    let ((first, took), (second, _)) =
        tokio::join!(timed(here.sign_out()), timed(there.sign_out()));
    assert_eq!((gone(&first), gone(&second)), ((1, 0), (1, 0)));
    assert!(took.is_zero(), "{took:?}");
    for ticket in &tickets {
        assert!(one.is_signed_out(ticket).await && other.is_signed_out(ticket).await);
    }
}

/// However the link fails, it costs a lease once. A server that knows that its link is lost serves no copies any more.
async fn with_a_link_that(fails: fn(&FailingStore), is_noticed: bool) {
    let (fleet, [near, far]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    near.fill(&ticket).await;
    far.fill(&ticket).await;
    fails(&far.way);
    let before = fleet.signer.clone();
    let signing = tokio::spawn(async move { timed(before.sign_out_account(&ada())).await });
    tokio::time::sleep(MOMENT).await;
    assert!(near.is_signed_out(&ticket).await);
    assert_eq!(far.hits(&ticket).await, !is_noticed);
    let (copies, took) = signing.await.unwrap();
    assert_eq!(gone(&copies), (2, 1));
    assert!(is_a_lease(took), "{took:?}");
    assert!(far.is_signed_out(&ticket).await);

    tokio::time::sleep(MOMENT).await;
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!((gone(&copies), took), ((1, 0), Duration::ZERO));

    far.way.work();
    settle().await;
    settle().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    far.fill(&ticket).await;
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!((gone(&copies), took), ((2, 0), Duration::ZERO));
    assert!(far.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_was_cut_costs_a_lease_once() {
    with_a_link_that(FailingStore::cut_link, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_half_open_costs_a_lease_once() {
    with_a_link_that(FailingStore::freeze_link, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_signer_whose_own_link_is_half_open_waits_a_lease_and_finds_out() {
    let (fleet, [keeper, _other]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    fleet.way.freeze_link();
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!(gone(&copies), (2, 2));
    assert!(is_a_lease(took), "{took:?}");
    assert!(keeper.is_signed_out(&ticket).await);
    // It opens another link, and the servers that it did not hear have renewed since.
    fleet.way.work();
    settle().await;
    settle().await;
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!((gone(&copies), took), ((2, 0), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_serves_no_copy_before_every_signer_knows_of_it() {
    let fleet = Fleet::new().await;
    let ticket = signed_in(&fleet.signer).await;
    // The signer has read the record just before, and can't for a while.
    fleet.way.fail_with(ErrorKind::Unavailable);
    let keeper = Keeper::start(fleet.store.clone(), &fleet.secret).await;
    tokio::time::sleep(Duration::from_millis(2_900)).await;
    let (read, asked) = keeper.read(&ticket).await;
    assert!(read.unwrap().is_some() && asked);
    fleet.way.work();
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!(copies, CopiesGone::NoneKept);
    assert!(took.is_zero());
    for _ in 0..20 {
        assert!(keeper.is_signed_out(&ticket).await);
        tokio::time::sleep(LEASE / 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn from_then_on_it_serves_them() {
    let fleet = Fleet::new().await;
    let ticket = signed_in(&fleet.signer).await;
    let keeper = Keeper::start(fleet.store.clone(), &fleet.secret).await;
    let begun = tokio::time::Instant::now();
    while !keeper.hits(&ticket).await {
        tokio::time::sleep(LEASE / 100).await;
    }
    let after = begun.elapsed();
    assert!(
        after > Duration::from_secs(3) && after <= SERVES_AFTER,
        "{after:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_past_its_lease_asks_the_store() {
    let (fleet, [keeper, _other]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    keeper.boot.sleep(LEASE);
    assert!(!keeper.hits(&ticket).await);
    // Its next renewal makes copies good again that nothing was announced of.
    settle().await;
    keeper.fill(&ticket).await;
}

#[tokio::test(start_paused = true)]
async fn no_sign_out_waits_for_a_server_that_gave_its_lease_up() {
    let (fleet, [keeper, other]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    keeper.cache.release_lease().await;
    assert!(!keeper.hits(&ticket).await);
    // All else goes on.
    assert!(keeper.read(&ticket).await.0.unwrap().is_some());
    drop(other);
    tokio::time::sleep(MOMENT).await;
    let (copies, took) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!((gone(&copies), took), ((0, 0), Duration::ZERO));
    assert!(keeper.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gave_its_lease_up_hears_who_answers_its_own_sign_outs() {
    let (_fleet, [keeper, other]) = fleet().await;
    let ticket = signed_in(&keeper.cache).await;
    tokio::time::sleep(MOMENT).await;
    other.fill(&ticket).await;
    keeper.cache.release_lease().await;
    let (copies, took) = timed(keeper.cache.sign_out_account(&ada())).await;
    assert_eq!((gone(&copies), took), ((1, 0), Duration::ZERO));
    assert!(other.is_signed_out(&ticket).await);
}

async fn only_account(cache: &TokenCache) -> AccountKey {
    let mut scan = Scan::default();
    loop {
        let page = cache.accounts(&scan).await.unwrap();
        if let Some(account) = page.accounts.first() {
            return *account;
        }
        scan = scan.from(page.next.expect("somebody is signed in"));
    }
}

/// A signer that dies between the two has returned nothing; whoever asks again finds nothing to end, and has it announced all the
/// same.
#[tokio::test(start_paused = true)]
async fn what_was_evicted_and_not_announced_is_announced_by_the_next_try() {
    let (fleet, [keeper, _other]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    let raw: &dyn TokenStore = &fleet.store;
    let account = only_account(&fleet.signer).await;
    let now = fleet.signer.now().unwrap();
    let target = EvictTarget::Account(CutoffTime::on_store_clock(now));
    let evicted = raw.evict(&account, target, EvictOptions::at(now));
    assert!(evicted.await.unwrap().ended);
    assert!(keeper.hits(&ticket).await);
    let done = fleet.signer.sign_out_account(&ada()).await.unwrap();
    assert!(!done.ended);
    assert_eq!(gone(&done.copies), (2, 0));
    assert!(keeper.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_put_over_or_removed_elsewhere_is_seen_within_moments() {
    let (fleet, [keeper, _other]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    let session = fleet.signer.resume(&ticket).await.unwrap();
    session.put(&api(), b"another".to_vec()).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    let seen = keeper.read(&ticket).await.0.unwrap().unwrap();
    assert_eq!(seen.bytes().unwrap(), b"another");
    keeper.fill(&ticket).await;
    session.remove(&api()).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    assert!(keeper.read(&ticket).await.0.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_announced_is_announced_as_soon_as_it_can() {
    let (fleet, [keeper, _other]) = fleet().await;
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    let session = fleet.signer.resume(&ticket).await.unwrap();
    fleet.way.cut_link();
    session.put(&api(), b"another".to_vec()).await.unwrap();
    tokio::time::sleep(10 * LEASE).await;
    assert!(keeper.hits(&ticket).await, "it was not told");
    fleet.way.work();
    tokio::time::sleep(LEASE).await;
    let seen = keeper.read(&ticket).await.0.unwrap().unwrap();
    assert_eq!(seen.bytes().unwrap(), b"another");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_for_another_is_announced() {
    let (fleet, [keeper, _other]) = fleet().await;
    let few = TokenCache::builder(fleet.store.clone())
        .secret(fleet.secret.clone())
        .max_sessions(1)
        .open()
        .await
        .unwrap();
    let ticket = signed_in(&few).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    let started = few.start_sign_in().unwrap();
    few.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    assert!(keeper.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_copies_the_record_leaves_out_serves_none_until_all_know_again() {
    let (fleet, [keeper, other]) = fleet().await;
    drop(other);
    let ticket = signed_in(&fleet.signer).await;
    tokio::time::sleep(MOMENT).await;
    keeper.fill(&ticket).await;
    let error = keeper.cache.set_longest_copy_life(Duration::ZERO).await;
    assert!(error.is_err());
    fleet
        .signer
        .set_longest_copy_life(Duration::ZERO)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!keeper.hits(&ticket).await);
    assert_eq!(keeper.cache.longest_copy_life().unwrap(), LEASE);
    tokio::time::sleep(SERVES_AFTER).await;
    keeper.fill(&ticket).await;
    let (copies, _) = timed(fleet.signer.sign_out_account(&ada())).await;
    assert_eq!(gone(&copies), (1, 0));
    assert!(keeper.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn where_the_store_has_no_link_copies_die_of_age_before_the_sign_out_returns() {
    let without_link = |store| FailingStore::new(store).without_link();
    let fleet = Fleet::over(MemoryStore::new(), without_link).await;
    let age = CopyPolicy::new().max_age(LEASE / 2);
    let keeper = Keeper::with(fleet.way.clone(), &fleet.secret, age).await;
    settle().await;
    let ticket = signed_in(&fleet.signer).await;
    keeper.fill(&ticket).await;
    let begun = tokio::time::Instant::now();
    let signer = fleet.signer.clone();
    let signing = tokio::spawn(async move { signer.sign_out_account(&ada()).await });
    tokio::time::sleep(MOMENT).await;
    assert!(keeper.hits(&ticket).await, "it hears of nothing");
    assert!(signing.await.unwrap().unwrap().ended);
    assert!(keeper.is_signed_out(&ticket).await);
    assert!(begun.elapsed() > LEASE / 2 && begun.elapsed() < LEASE);
}
