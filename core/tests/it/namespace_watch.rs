//! A server that was paused or disconnected for a while does not act on outdated knowledge.

#![cfg(feature = "test-util")]

use std::time::Duration;

use token_cache_core::{
    AccountId, EntryKey, ErrorKind, MemoryStore, Secret, Session, SignIn, Timestamp, TokenCache,
    test_util::{FailingStore, ManualClock},
};

fn ada() -> AccountId {
    AccountId::new("https://id.example", "ada").unwrap()
}

async fn sign_in(cache: &TokenCache) -> Session {
    let started = cache.start_sign_in().unwrap();
    cache.sign_in(SignIn::new(ada(), &started)).await.unwrap()
}

/// Two servers on one store; the second can be disconnected.
async fn two_servers() -> (TokenCache, TokenCache, FailingStore) {
    let (store, secret) = (MemoryStore::new(), Secret::random().unwrap());
    let link = FailingStore::new(store.clone());
    let here = TokenCache::open(store, secret.clone()).await.unwrap();
    let cut_off = TokenCache::open(link.clone(), secret).await.unwrap();
    (here, cut_off, link)
}

#[tokio::test(start_paused = true)]
async fn a_raised_generation_reaches_every_server_within_its_period() {
    let (here, there, _) = two_servers().await;
    let session = sign_in(&there).await;
    here.raise_generation().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let key = EntryKey::new("api").unwrap();
    assert!(session.get(&key).await.unwrap_err().is_signed_out());
    let ticket = session.ticket().unwrap();
    assert!(
        there
            .resume_unverified(&ticket)
            .unwrap_err()
            .is_signed_out()
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_cut_off_signs_out_under_the_generation_of_now() {
    let (here, cut_off, link) = two_servers().await;
    link.fail_with(ErrorKind::Unavailable);
    here.raise_generation().await.unwrap();
    let session = sign_in(&here).await;
    tokio::time::sleep(Duration::from_secs(10)).await;

    // This is its first operation, before its watch reads the namespace again.
    link.work();
    assert!(cut_off.sign_out_account(&ada()).await.unwrap().ended);
    let ticket = session.ticket().unwrap();
    assert!(here.resume(&ticket).await.unwrap_err().is_signed_out());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_cut_off_serves_nothing_of_an_ended_generation() {
    let (here, cut_off, link) = two_servers().await;
    let key = EntryKey::new("api").unwrap();
    let session = sign_in(&cut_off).await;
    session.put(&key, b"token".to_vec()).await.unwrap();
    link.fail_with(ErrorKind::Unavailable);
    here.raise_generation().await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        session.get(&key).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    link.work();
    assert!(session.get(&key).await.unwrap_err().is_signed_out());
}

#[tokio::test]
async fn the_time_is_the_stores() {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_secs(1_000));
    let store = MemoryStore::with_clock(clock.clone());
    let cache = TokenCache::open(store, Secret::random().unwrap())
        .await
        .unwrap();
    assert_eq!(cache.now().unwrap(), Timestamp::from_secs(1_000));
    clock.set(Timestamp::from_secs(2_000));
    assert_eq!(cache.now().unwrap(), Timestamp::from_secs(2_000));
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_a_slow_store_at_once_share_one_look_at_the_namespace() {
    let (_, there, link) = two_servers().await;
    let session = sign_in(&there).await;
    link.fail_with(ErrorKind::Unavailable);
    tokio::time::sleep(Duration::from_secs(10)).await;
    link.work();
    let late = Duration::from_secs(4);
    link.answer_late(late);

    let asked = tokio::time::Instant::now();
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let session = session.clone();
        reads.spawn(async move { session.get(&EntryKey::new("api").unwrap()).await });
    }
    while let Some(read) = reads.join_next().await {
        assert!(read.unwrap().unwrap().is_none());
    }
    // One read that the watch had sent before, one shared read of the callers, and the read of the entry.
    assert!(asked.elapsed() <= late * 3, "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_taken_over_by_another_secret_ends_this_servers_service() {
    let store = MemoryStore::new();
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    let record = token_cache_core::NamespaceRecord::new(0, [7; 16]);
    let store: &dyn token_cache_core::TokenStore = &store;
    let ours = store.namespace().await.unwrap().record;
    assert!(store.set_namespace(ours.as_ref(), &record).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        cache.sign_out_account(&ada()).await.unwrap_err().kind(),
        ErrorKind::Config
    );
    assert_eq!(cache.start_sign_in().unwrap_err().kind(), ErrorKind::Config);
}

/// The raise is the first look at the record that another secret has written.
#[tokio::test(start_paused = true)]
async fn a_raise_does_not_take_a_namespace_back_from_another_secret() {
    let store = MemoryStore::new();
    let ours = TokenCache::open(store.clone(), Secret::random().unwrap());
    let ours = ours.await.unwrap();
    let written = token_cache_core::NamespaceRecord::new(0, [7; 16]);
    let store: &dyn token_cache_core::TokenStore = &store;
    let before = store.namespace().await.unwrap().record;
    assert!(
        store
            .set_namespace(before.as_ref(), &written)
            .await
            .unwrap()
    );

    let refused = ours.raise_generation().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    let after = store.namespace().await.unwrap().record.unwrap();
    assert_eq!(after, written);
}

#[tokio::test(start_paused = true)]
async fn an_older_record_is_put_back_as_it_was_known() {
    let store = MemoryStore::new();
    let cache = TokenCache::open(store.clone(), Secret::random().unwrap())
        .await
        .unwrap();
    assert!(cache.raise_generation().await.unwrap() > 0);
    let store: &dyn token_cache_core::TokenStore = &store;
    let known = store.namespace().await.unwrap().record.unwrap();
    // An older record, as a restore would write it.
    let older = token_cache_core::NamespaceRecord::new(0, known.check);
    assert!(store.set_namespace(Some(&known), &older).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(store.namespace().await.unwrap().record, Some(known));
}
