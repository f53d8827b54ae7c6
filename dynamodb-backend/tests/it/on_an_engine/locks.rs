//! When the entry makes a refresh lock invalid, and when not.

use token_cache_core::{
    AcquireOptions, Acquired, Entry, EntryAddress, LockOwner, PutMode, RefreshLocks, Timestamp,
    TokenStore, Version, WriteOptions,
};
use token_cache_dynamodb::DynamoDbStore;

use crate::on_an_engine::{LIFETIME, account, engine, entry_of, now, puts, signs_in};

async fn asks(
    store: &DynamoDbStore,
    at: &EntryAddress,
    seen: Option<Version>,
    now: Timestamp,
) -> Acquired {
    let mut options = AcquireOptions::new(LockOwner::mint().unwrap(), LIFETIME, now);
    options.seen = seen;
    store.acquire(at, options).await.unwrap()
}

fn is_busy(answer: &Acquired) {
    assert!(
        matches!(answer, Acquired::Busy(left) if *left <= LIFETIME),
        "{answer:?}"
    );
}

/// The owner saw no entry, since it had expired. It still holds the lock.
#[tokio::test]
async fn an_expired_entry_frees_no_lock() {
    let store = engine().store("locks-1").await.unwrap();
    let (now, ada) = (now(&store).await, account());
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    let expires_at = now + LIFETIME / 4;
    let entry = Entry::new(*b"old", Version::mint().unwrap(), expires_at);
    let _stored = store
        .write(&at, entry, WriteOptions::at(now))
        .await
        .unwrap();
    assert_eq!(asks(&store, &at, None, expires_at).await, Acquired::Held);
    is_busy(&asks(&store, &at, None, expires_at).await);
}

/// The entry was removed while the owner holds the lock. No newer version exists.
#[tokio::test]
async fn a_removed_entry_frees_no_lock() {
    let store = engine().store("locks-2").await.unwrap();
    let (now, ada) = (now(&store).await, account());
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    let due = puts(&store, &at, PutMode::Create, now).await;
    assert_eq!(asks(&store, &at, Some(due), now).await, Acquired::Held);
    store.remove(&at).await.unwrap();
    is_busy(&asks(&store, &at, None, now).await);
}

/// Another version was put meanwhile: the refresh token that the owner sends is no longer the stored one.
#[tokio::test]
async fn another_version_frees_a_lock_for_one() {
    let store = engine().store("locks-3").await.unwrap();
    let (now, ada) = (now(&store).await, account());
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    let due = puts(&store, &at, PutMode::Create, now).await;
    assert_eq!(asks(&store, &at, Some(due), now).await, Acquired::Held);
    let newer = puts(&store, &at, PutMode::Overwrite, now).await;
    let racing = (0..8).map(|_| asks(&store, &at, Some(newer), now));
    let answers = futures_util::future::join_all(racing).await;
    let held = answers.iter().filter(|answer| **answer == Acquired::Held);
    assert_eq!(held.count(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| **answer != Acquired::Held) {
        is_busy(answer);
    }
    assert!(matches!(
        asks(&store, &at, Some(due), now).await,
        Acquired::Fresher(_)
    ));
}
