//! Tests with whole servers: one signs out, and the others serve near-cache entries until then.

use std::time::Duration;

use token_cache_core::{
    AccountKey, AccountListOptions, CutoffTime, ErrorKind, EvictOptions, EvictTarget, MemoryStore,
    NearCacheOutcome, SignIn, TokenCache, TokenStore, test_util::FailingStore,
};
use token_cache_near_cache::NearCacheConfig;

use super::{
    cache::{LeasedCache, SERVES_AFTER, api, signed_in},
    fleet::{Fleet, LEASE, ada, is_a_lease, settle, timed},
    origin::gone,
};

const MOMENT: Duration = Duration::from_millis(1);

/// Returns an origin without a near cache, and two servers with one.
async fn fleet() -> (Fleet, [LeasedCache; 2]) {
    let fleet = Fleet::new().await;
    let caches = [
        LeasedCache::start(fleet.store.clone(), &fleet.secret).await,
        LeasedCache::start(fleet.store.clone(), &fleet.secret).await,
    ];
    settle().await;
    settle().await;
    (fleet, caches)
}

#[tokio::test(start_paused = true)]
async fn no_server_serves_a_cached_entry_of_what_was_signed_out() {
    let (fleet, caches) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    for cache in &caches {
        cache.populate(&ticket).await;
    }
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((2, 0), Duration::ZERO));
    for cache in &caches {
        assert!(cache.is_signed_out(&ticket).await);
    }
}

#[tokio::test(start_paused = true)]
async fn servers_that_have_near_caches_sign_out_as_well_two_at_once_too() {
    let (fleet, [one, other]) = fleet().await;
    let tickets = [
        signed_in(&fleet.origin).await,
        signed_in(&fleet.origin).await,
    ];
    tokio::time::sleep(MOMENT).await;
    for ticket in &tickets {
        one.populate(ticket).await;
        other.populate(ticket).await;
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

/// A failure of the backplane delays a sign-out by one lease, once. A server that detects the failure serves no near-cache entries any
/// more.
async fn with_a_backplane_that(fails: fn(&FailingStore), is_noticed: bool) {
    let (fleet, [near, far]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    near.populate(&ticket).await;
    far.populate(&ticket).await;
    fails(&far.way);
    let before = fleet.origin.clone();
    let signing = tokio::spawn(async move { timed(before.sign_out_account(&ada())).await });
    tokio::time::sleep(MOMENT).await;
    assert!(near.is_signed_out(&ticket).await);
    assert_eq!(far.hits(&ticket).await, !is_noticed);
    let (near_caches, took) = signing.await.unwrap();
    assert_eq!(gone(&near_caches), (2, 1));
    assert!(is_a_lease(took), "{took:?}");
    assert!(far.is_signed_out(&ticket).await);

    tokio::time::sleep(MOMENT).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((1, 0), Duration::ZERO));

    far.way.work();
    settle().await;
    settle().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    far.populate(&ticket).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((2, 0), Duration::ZERO));
    assert!(far.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_backplane_that_was_cut_costs_a_lease_once() {
    with_a_backplane_that(FailingStore::cut_backplane, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_backplane_that_is_half_open_costs_a_lease_once() {
    with_a_backplane_that(FailingStore::freeze_backplane, false).await;
}

#[tokio::test(start_paused = true)]
async fn an_origin_whose_own_backplane_is_half_open_waits_a_lease_and_finds_out() {
    let (fleet, [cache, _other]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    fleet.way.freeze_backplane();
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(gone(&near_caches), (2, 2));
    assert!(is_a_lease(took), "{took:?}");
    assert!(cache.is_signed_out(&ticket).await);
    // The origin opens another connection, and the silent servers have renewed since.
    fleet.way.work();
    settle().await;
    settle().await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((2, 0), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_serves_no_cached_entry_before_every_origin_knows_of_it() {
    let fleet = Fleet::new().await;
    let ticket = signed_in(&fleet.origin).await;
    // The origin has just read the record, and cannot read it again for some time.
    fleet.way.fail_with(ErrorKind::Unavailable);
    let cache = LeasedCache::start(fleet.store.clone(), &fleet.secret).await;
    tokio::time::sleep(Duration::from_millis(2_900)).await;
    let (read, asked) = cache.read(&ticket).await;
    assert!(read.unwrap().is_some() && asked);
    fleet.way.work();
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(near_caches, NearCacheOutcome::Unused);
    assert!(took.is_zero());
    for _ in 0..20 {
        assert!(cache.is_signed_out(&ticket).await);
        tokio::time::sleep(LEASE / 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn from_then_on_it_serves_them() {
    let fleet = Fleet::new().await;
    let ticket = signed_in(&fleet.origin).await;
    let cache = LeasedCache::start(fleet.store.clone(), &fleet.secret).await;
    let begun = tokio::time::Instant::now();
    while !cache.hits(&ticket).await {
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
    let (fleet, [cache, _other]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    cache.boot.sleep(LEASE);
    assert!(!cache.hits(&ticket).await);
    // After the next renewal, entries without an invalidation are valid again.
    settle().await;
    cache.populate(&ticket).await;
}

#[tokio::test(start_paused = true)]
async fn no_sign_out_waits_for_a_server_that_gave_its_lease_up() {
    let (fleet, [cache, other]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    cache.cache.release_lease().await;
    assert!(!cache.hits(&ticket).await);
    // Everything else continues.
    assert!(cache.read(&ticket).await.0.unwrap().is_some());
    drop(other);
    tokio::time::sleep(MOMENT).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((0, 0), Duration::ZERO));
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gave_its_lease_up_hears_who_answers_its_own_sign_outs() {
    let (_fleet, [cache, other]) = fleet().await;
    let ticket = signed_in(&cache.cache).await;
    tokio::time::sleep(MOMENT).await;
    other.populate(&ticket).await;
    cache.cache.release_lease().await;
    let (near_caches, took) = timed(cache.cache.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((1, 0), Duration::ZERO));
    assert!(other.is_signed_out(&ticket).await);
}

async fn only_account(cache: &TokenCache) -> AccountKey {
    let mut scan = AccountListOptions::default();
    loop {
        let page = cache.accounts(&scan).await.unwrap();
        if let Some(account) = page.accounts.first() {
            return *account;
        }
        scan = scan.from(page.next.expect("an account is signed in"));
    }
}

/// An origin that dies between eviction and publication has not returned. The next attempt finds no session to end, and publishes anyway.
#[tokio::test(start_paused = true)]
async fn what_was_evicted_and_not_published_is_published_by_the_next_try() {
    let (fleet, [cache, _other]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let raw: &dyn TokenStore = &fleet.store;
    let account = only_account(&fleet.origin).await;
    let now = fleet.origin.now().unwrap();
    let target = EvictTarget::Account(CutoffTime::on_store_clock(now));
    let evicted = raw.evict(&account, target, EvictOptions::at(now));
    assert!(evicted.await.unwrap().ended);
    assert!(cache.hits(&ticket).await);
    let done = fleet.origin.sign_out_account(&ada()).await.unwrap();
    assert!(!done.ended);
    assert_eq!(gone(&done.near_caches), (2, 0));
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_put_over_or_removed_elsewhere_is_seen_within_moments() {
    let (fleet, [cache, _other]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let session = fleet.origin.resume(&ticket).await.unwrap();
    session.put(&api(), b"another".to_vec()).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    let seen = cache.read(&ticket).await.0.unwrap().unwrap();
    assert_eq!(seen.bytes().unwrap(), b"another");
    cache.populate(&ticket).await;
    session.remove(&api()).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    assert!(cache.read(&ticket).await.0.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_published_is_published_as_soon_as_it_can() {
    let (fleet, [cache, _other]) = fleet().await;
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let session = fleet.origin.resume(&ticket).await.unwrap();
    fleet.way.cut_backplane();
    session.put(&api(), b"another".to_vec()).await.unwrap();
    tokio::time::sleep(10 * LEASE).await;
    assert!(
        cache.hits(&ticket).await,
        "the server received no invalidation"
    );
    fleet.way.work();
    tokio::time::sleep(LEASE).await;
    let seen = cache.read(&ticket).await.0.unwrap().unwrap();
    assert_eq!(seen.bytes().unwrap(), b"another");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_for_another_is_published() {
    let (fleet, [cache, _other]) = fleet().await;
    let few = TokenCache::builder(fleet.store.clone())
        .secret(fleet.secret.clone())
        .max_sessions(1)
        .open()
        .await
        .unwrap();
    let ticket = signed_in(&few).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let started = few.start_sign_in().unwrap();
    few.sign_in(SignIn::new(ada(), &started)).await.unwrap();
    tokio::time::sleep(MOMENT).await;
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_near_cache_the_record_leaves_out_serves_nothing_until_all_know_again() {
    let (fleet, [cache, other]) = fleet().await;
    drop(other);
    let ticket = signed_in(&fleet.origin).await;
    tokio::time::sleep(MOMENT).await;
    cache.populate(&ticket).await;
    let error = cache
        .cache
        .set_longest_near_cache_life(Duration::ZERO)
        .await;
    assert!(error.is_err());
    fleet
        .origin
        .set_longest_near_cache_life(Duration::ZERO)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!cache.hits(&ticket).await);
    assert_eq!(cache.cache.longest_near_cache_life().unwrap(), LEASE);
    tokio::time::sleep(SERVES_AFTER).await;
    cache.populate(&ticket).await;
    let (near_caches, _) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(gone(&near_caches), (1, 0));
    assert!(cache.is_signed_out(&ticket).await);
}

#[tokio::test(start_paused = true)]
async fn where_the_store_has_no_backplane_cached_entries_die_of_age_before_the_sign_out_returns() {
    let without_backplane = |store| FailingStore::new(store).without_backplane();
    let fleet = Fleet::over(MemoryStore::new(), without_backplane).await;
    let age = NearCacheConfig::new().max_age(LEASE / 2);
    let cache = LeasedCache::with(fleet.way.clone(), &fleet.secret, age).await;
    settle().await;
    let ticket = signed_in(&fleet.origin).await;
    cache.populate(&ticket).await;
    let begun = tokio::time::Instant::now();
    let origin = fleet.origin.clone();
    let signing = tokio::spawn(async move { origin.sign_out_account(&ada()).await });
    tokio::time::sleep(MOMENT).await;
    assert!(
        cache.hits(&ticket).await,
        "the server receives no invalidation"
    );
    assert!(signing.await.unwrap().unwrap().ended);
    assert!(cache.is_signed_out(&ticket).await);
    assert!(begun.elapsed() > LEASE / 2 && begun.elapsed() < LEASE);
}
