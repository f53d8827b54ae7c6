//! The versions that created an entry: how long the item that has them is kept.

use std::time::Duration;

use token_cache_core::{Entry, PutMode, PutResult, Timestamp, TokenStore, Version, WriteOptions};

use crate::on_an_engine::{
    account, entry_of,
    foreign::{is_head, items, store},
    now, signs_in,
};

/// The longest time that a copy of a write is in flight: the service refuses requests that were signed earlier.
const ON_ITS_WAY: Duration = Duration::from_mins(30);

async fn is_kept(namespace: &str, now: Timestamp, what: &str) {
    let mut all = items(namespace).await.into_iter();
    let item = all.find(|item| !is_head(item)).unwrap();
    let until = item["exp"].as_n().unwrap().parse().unwrap();
    assert!(Timestamp::from_secs(until) >= now + ON_ITS_WAY, "{what}");
}

#[tokio::test]
async fn an_entry_that_ends_soon_is_remembered_while_a_copy_of_its_write_can_arrive() {
    let namespace = "creations-1";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    let version = Version::mint().unwrap();
    for (mode, version) in [
        (PutMode::Create, version),
        (PutMode::Update(version), Version::mint().unwrap()),
        (PutMode::Overwrite, Version::mint().unwrap()),
    ] {
        let entry = Entry::new(*b"token", version, now + Duration::from_mins(1));
        let written = store.write(&at, entry, WriteOptions::at(now).mode(mode));
        assert_eq!(written.await.unwrap(), PutResult::Stored, "{mode:?}");
        is_kept(namespace, now, &format!("{mode:?}")).await;
    }
    store.remove(&at).await.unwrap();
    is_kept(namespace, now, "removed").await;
}
