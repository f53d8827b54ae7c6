use std::time::Duration;

use token_cache_core::{
    ErrorKind, Invalidation, LogoutMessage, NearCacheOutcome, ProviderSid, SignOutScope,
    SignOutScopeKind, Timestamp, Wait,
};

use super::{
    fleet::{Fleet, LEASE, ada, is_a_lease, settle, timed},
    peer::Peer,
};

pub(crate) fn gone(near_caches: &NearCacheOutcome) -> (usize, usize) {
    match near_caches {
        NearCacheOutcome::Cleared {
            servers, silent, ..
        } => (servers.len(), silent.len()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_has_a_near_cache_there_is_nothing_to_wait_for() {
    let fleet = Fleet::new().await;
    fleet.sign_in().await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(
        (near_caches, took),
        (NearCacheOutcome::Unused, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn it_returns_when_every_server_has_answered() {
    let fleet = Fleet::new().await;
    fleet.sign_in().await;
    let first = Peer::join(&fleet.store).await;
    let second = Peer::join(&fleet.store).await;
    settle().await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((2, 0), Duration::ZERO));
    for peer in [first, second] {
        assert_eq!(peer.heard().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_delays_it_by_a_lease_once() {
    let fleet = Fleet::new().await;
    let (alive, dead) = (
        Peer::join(&fleet.store).await,
        Peer::join(&fleet.store).await,
    );
    settle().await;
    dead.fall_silent();
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    let NearCacheOutcome::Cleared {
        servers,
        silent,
        waited,
    } = near_caches
    else {
        panic!("{near_caches:?}");
    };
    let mut both = [alive.server, dead.server];
    both.sort();
    assert_eq!((&servers[..], &silent[..]), (&both[..], &[dead.server][..]));
    assert!(is_a_lease(took) && waited == took, "{took:?} {waited:?}");

    tokio::time::sleep(Duration::from_millis(1)).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((1, 0), Duration::ZERO));
    assert_eq!(alive.heard().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_renewed_meanwhile_is_not_taken_for_dead() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    peer.fall_silent();
    let origin = fleet.origin.clone();
    let signing = tokio::spawn(async move { origin.sign_out_account(&ada()).await });
    tokio::time::sleep(LEASE / 2).await;
    peer.renew().await;
    assert_eq!(gone(&signing.await.unwrap().unwrap().near_caches), (1, 1));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(gone(&near_caches), (1, 1));
    assert!(is_a_lease(took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_known_the_registry_for_no_time_waits_a_lease() {
    let fleet = Fleet::new().await;
    let _peer = Peer::join(&fleet.store).await;
    // The origin reads the record with the near-cache life, and opens its backplane connection.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!(gone(&near_caches), (1, 0));
    assert!(is_a_lease(took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_known_it_for_long_vouches_for_one_that_has_not() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    peer.vouch();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((1, 0), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_new_registry_is_waited_out_and_then_known() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    fleet.store.lose_registry();
    peer.renew().await;
    let (_, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert!(is_a_lease(took), "{took:?}");
    settle().await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada())).await;
    assert_eq!((gone(&near_caches), took), ((1, 0), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn without_a_wait_it_returns_at_once_and_says_so() {
    let fleet = Fleet::new().await;
    fleet.sign_in().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    peer.fall_silent();
    let scope = SignOutScope::Account(ada());
    let (near_caches, took) = timed(fleet.origin.sign_out_with(scope, Wait::None)).await;
    let NearCacheOutcome::NotAwaited { cleared_within } = near_caches else {
        panic!("{near_caches:?}");
    };
    assert!(
        took.is_zero() && is_a_lease(cleared_within),
        "{cleared_within:?}"
    );
    assert_eq!(peer.heard().len(), 1);

    let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1)).unwrap();
    let message = message.subject("ada").unwrap();
    let (near_caches, _) = timed(fleet.origin.sign_out_by_with(&message, Wait::None)).await;
    assert!(matches!(near_caches, NearCacheOutcome::NotAwaited { .. }));
}

#[tokio::test(start_paused = true)]
async fn every_sort_of_sign_out_is_published_and_awaited() {
    let fleet = Fleet::new().await;
    fleet.sign_in().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    let started = fleet.origin.start_sign_in().unwrap();
    let sign_in = token_cache_core::SignIn::new(ada(), &started);
    let session = fleet.origin.sign_in(sign_in).await.unwrap();
    let message = LogoutMessage::new("https://id.example", Timestamp::from_secs(1)).unwrap();
    let by_sid = message.clone().sid("s1").unwrap();
    let by_subject = message.subject("ada").unwrap();
    let sid = ProviderSid::new("https://id.example", "s1").unwrap();
    let origin = &fleet.origin;
    let done = [
        session.sign_out().await,
        origin.sign_out(SignOutScope::ProviderSession(sid)).await,
        session
            .sign_out_with(SignOutScopeKind::ProviderSession, Wait::Everywhere)
            .await,
        session
            .sign_out_with(SignOutScopeKind::Account, Wait::Everywhere)
            .await,
        origin.sign_out_account(&ada()).await,
        origin.sign_out_by(&by_sid).await,
        origin.sign_out_by(&by_subject).await,
    ];
    let heard = peer.heard();
    assert_eq!(heard.len(), done.len());
    for (sign_out, heard) in done.into_iter().zip(heard) {
        assert_eq!(gone(&sign_out.unwrap().near_caches), (1, 0));
        assert!(matches!(heard, Invalidation::Accounts(accounts) if accounts.len() == 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_of_many_is_one_invalidation_message_a_step() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    let ids: Vec<_> = (0..101)
        .map(|n| token_cache_core::AccountId::new("https://id.example", format!("user {n}")))
        .map(Result::unwrap)
        .collect();
    let mut few = fleet.origin.sign_out_accounts(&ids[..100]).unwrap();
    few.step().await.unwrap();
    assert_eq!(gone(&few.report().near_caches), (1, 0));
    let heard = peer.heard();
    assert!(matches!(&heard[..], [Invalidation::Accounts(accounts)] if accounts.len() == 100));
    let mut many = fleet.origin.sign_out_accounts(&ids).unwrap();
    many.step().await.unwrap();
    assert_eq!(peer.heard(), [Invalidation::Everything]);

    peer.fall_silent();
    let mut step = fleet.origin.sign_out_accounts(&ids).unwrap();
    let begun = tokio::time::Instant::now();
    step.step().await.unwrap();
    assert!(is_a_lease(begun.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_stops_neither_the_eviction_nor_the_wait() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    peer.fall_silent();
    let ada = ada();
    let signing = fleet.origin.sign_out_account(&ada);
    assert!(tokio::time::timeout(LEASE / 10, signing).await.is_err());
    assert_eq!(peer.heard().len(), 1);
    // The wait continues in a task. At its end, the silent server is removed from the registry.
    settle().await;
    let (near_caches, took) = timed(fleet.origin.sign_out_account(&ada)).await;
    assert_eq!((gone(&near_caches), took), ((0, 0), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_whose_invalidation_message_fails_is_no_success() {
    let fleet = Fleet::new().await;
    let peer = Peer::join(&fleet.store).await;
    settle().await;
    fleet.way.lose_answers_with(ErrorKind::TimedOut);
    let error = fleet.origin.sign_out_account(&ada()).await.unwrap_err();
    assert!(error.may_have_applied());
    fleet.way.work();
    assert_eq!(peer.heard().len(), 1);
}
