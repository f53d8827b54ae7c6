//! Unreadable items under the store's keys.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::AttributeValue::{self, B, M, N, S},
};
use token_cache_core::{
    AccountKey, AcquireOptions, CutoffBound, CutoffTime, Entry, ErrorKind, EvictOptions,
    EvictTarget, LockOwner, NotBeforeOptions, PutMode, PutResult, ReadOptions, RefreshLocks,
    Result, SidEntry, SidIndex, SidKey, Timestamp, TokenStore, Version, WriteOptions,
};
use token_cache_dynamodb::DynamoDbStore;

use crate::engine::TABLE;
use crate::on_an_engine::{account, engine, entry_of, now, puts, session, signs_in};

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) async fn store(namespace: &str) -> DynamoDbStore {
    engine().store(namespace).await.unwrap()
}

/// All items of a namespace's accounts.
pub(crate) async fn items(namespace: &str) -> Vec<Item> {
    let scan = engine().client().scan().table_name(TABLE).send().await;
    let items = scan.unwrap().items.unwrap();
    let ours = |item: &Item| {
        item["pk"]
            .as_s()
            .unwrap()
            .starts_with(&format!("{namespace}:A:"))
    };
    items.into_iter().filter(ours).collect()
}

async fn put(item: Item) {
    let put = engine().client().put_item().table_name(TABLE);
    put.set_item(Some(item)).send().await.unwrap();
}

pub(crate) fn is_head(item: &Item) -> bool {
    item["sk"].as_s().unwrap() == "#"
}

/// Something else in the place of an attribute, of another type and of the same.
fn garbage(of: &AttributeValue) -> [AttributeValue; 2] {
    match of {
        M(inner) => {
            let broken = inner
                .keys()
                .map(|name| (name.clone(), B(Blob::new([0xFF]))));
            [S("somebody else's".to_owned()), M(broken.collect())]
        }
        N(_) => [S("somebody else's".to_owned()), N("-1.5".to_owned())],
        B(_) => [N("7".to_owned()), B(Blob::new([0xFF]))],
        _ => panic!("an attribute of a type that nothing of ours has: {of:?}"),
    }
}

fn is_corrupt<T: std::fmt::Debug>(answer: Result<T>, what: &str) {
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Corrupt, "{what}");
}

/// An unreadable account item never panics. Reading it is an error and not a sign-out, and a sign-out of the account repairs it.
#[tokio::test]
async fn garbage_in_an_account_item_is_corrupt_until_a_sign_out_removes_it() {
    let namespace = "foreign-1";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    let session_id = signs_in(&store, &ada, now).await;
    for moment in [
        CutoffTime::on_store_clock(Timestamp::default()),
        CutoffTime::on_provider_clock(Timestamp::default()),
    ] {
        store
            .evict(&ada, EvictTarget::Account(moment), EvictOptions::at(now))
            .await
            .unwrap();
    }
    let head = items(namespace).await.into_iter().find(is_head).unwrap();
    let names = head
        .keys()
        .filter(|name| !["pk", "sk", "exp", "v"].contains(&name.as_str()));
    for name in names {
        for garbage in garbage(&head[name]) {
            let mut broken = head.clone();
            broken.insert(name.clone(), garbage);
            put(broken).await;
            is_corrupt(store.begin(&ada, session(now)).await, name);
            is_corrupt(store.sessions(&ada, ReadOptions::at(now)).await, name);
            let read = store.session(&ada, &session_id, ReadOptions::at(now)).await;
            if let Err(error) = read {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
            }
            let target = EvictTarget::Account(CutoffTime::on_store_clock(now));
            store
                .evict(&ada, target, EvictOptions::at(now))
                .await
                .unwrap();
            let gone = store.session(&ada, &session_id, ReadOptions::at(now)).await;
            assert!(gone.unwrap_err().is_signed_out(), "{name}");
            let overtaken = store.begin(&ada, session(now)).await;
            assert!(overtaken.unwrap_err().is_signed_out(), "{name}");
        }
    }
}

#[tokio::test]
async fn garbage_in_an_entry_is_corrupt_and_a_write_replaces_it() {
    let namespace = "foreign-2";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    puts(&store, &at, PutMode::Create, now).await;
    let mut all = items(namespace).await.into_iter();
    let entry = all.find(|item| !is_head(item)).unwrap();
    for name in ["d", "v", "x"] {
        for garbage in garbage(&entry[name]) {
            let mut broken = entry.clone();
            broken.insert(name.to_owned(), garbage);
            put(broken).await;
            is_corrupt(store.read(&at, ReadOptions::at(now)).await, name);
            let options = AcquireOptions::new(
                LockOwner::mint().unwrap(),
                crate::on_an_engine::LIFETIME,
                now,
            );
            is_corrupt(store.acquire(&at, options).await, name);
            puts(&store, &at, PutMode::Overwrite, now).await;
            assert!(
                store
                    .read(&at, ReadOptions::at(now))
                    .await
                    .unwrap()
                    .is_some()
            );
        }
    }
}

#[tokio::test]
async fn garbage_in_the_list_of_creations_is_corrupt_and_no_other_write_minds() {
    let namespace = "foreign-5";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    for garbage in [S("somebody else's".to_owned()), N("7".to_owned())] {
        puts(&store, &at, PutMode::Overwrite, now).await;
        let mut all = items(namespace).await.into_iter();
        let mut entry = all.find(|item| !is_head(item)).unwrap();
        entry.insert("c".to_owned(), garbage);
        put(entry).await;
        let read = store.read(&at, ReadOptions::at(now)).await;
        assert!(read.unwrap().is_some());
        store.remove(&at).await.unwrap();
        let next = Entry::new(
            *b"next",
            Version::mint().unwrap(),
            now + crate::on_an_engine::LIFETIME,
        );
        let created = store.write(&at, next, WriteOptions::at(now).mode(PutMode::Create));
        is_corrupt(created.await, "the list of creations");
        let read = store.read(&at, ReadOptions::at(now)).await;
        assert!(read.unwrap().is_none());
    }
}

/// A foreign item is removed when the entry is removed, and is not mistaken for a removed entry.
#[tokio::test]
async fn an_item_of_others_in_the_place_of_an_entry_is_corrupt_until_it_is_removed() {
    let namespace = "foreign-6";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    store.remove(&at).await.unwrap();
    assert!(items(namespace).await.iter().all(is_head));
    puts(&store, &at, PutMode::Overwrite, now).await;
    let mut all = items(namespace).await.into_iter();
    let mut entry = all.find(|item| !is_head(item)).unwrap();
    for name in ["d", "v", "x", "exp"] {
        entry.remove(name);
    }
    put(entry).await;
    is_corrupt(store.read(&at, ReadOptions::at(now)).await, "read");
    let next = Entry::new(
        *b"next",
        Version::mint().unwrap(),
        now + crate::on_an_engine::LIFETIME,
    );
    let created = store.write(&at, next, WriteOptions::at(now).mode(PutMode::Create));
    assert_eq!(created.await.unwrap(), PutResult::PreconditionFailed);
    store.remove(&at).await.unwrap();
    let read = store.read(&at, ReadOptions::at(now)).await;
    assert!(read.unwrap().is_none());
    puts(&store, &at, PutMode::Create, now).await;
}

/// A session with an unreadable end in the index may be live, so the sign-out reaches its account.
#[tokio::test]
async fn a_sign_out_by_sid_reaches_an_account_whose_end_cannot_be_read() {
    let namespace = "foreign-4";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    for (number, garbage) in [S("somebody else's".to_owned()), N("-1.5".to_owned())]
        .into_iter()
        .enumerate()
    {
        let sid = SidKey::from_bytes([u8::try_from(number).unwrap(); 16]);
        let ends_at = now + crate::on_an_engine::LIFETIME;
        let sid_entry = SidEntry::new(ada, now, ends_at, ends_at);
        store.add(&sid, sid_entry).await.unwrap();
        let scan = engine().client().scan().table_name(TABLE).send().await;
        let is_entered = |item: &Item| {
            let pk = item["pk"].as_s().unwrap();
            pk.starts_with(&format!("{namespace}:S:")) && !item.contains_key("g")
        };
        let mut entered = scan.unwrap().items.unwrap();
        entered.retain(is_entered);
        let [mut entered] = <[Item; 1]>::try_from(entered).unwrap();
        let names: Vec<String> = entered.keys().cloned().collect();
        let account_of = |name: &&String| name.starts_with('a') && name.len() > 1;
        let name = names.iter().find(account_of).unwrap();
        entered.insert(name.clone(), garbage);
        put(entered).await;
        let target =
            store.set_sid_not_before(&sid, CutoffBound::Forever, NotBeforeOptions::default());
        assert_eq!(target.await.unwrap().accounts, [ada]);
    }
}

/// Items of other applications in the same table are neither listed nor signed out.
#[tokio::test]
async fn items_of_others_are_no_accounts() {
    let namespace = "foreign-3";
    let store = store(namespace).await;
    let now = now(&store).await;
    let ada = account();
    signs_in(&store, &ada, now).await;
    for pk in [
        "foreign-3",
        "foreign-3:A:",
        "foreign-3:A:x.y",
        "foreign-3:A:A:x",
        "other",
    ] {
        let map = M(HashMap::from([("x".to_owned(), S("y".to_owned()))]));
        put(HashMap::from([
            ("pk".to_owned(), S(pk.to_owned())),
            ("sk".to_owned(), S("#".to_owned())),
            ("s".to_owned(), map),
        ]))
        .await;
    }
    let mut scan = token_cache_core::AccountListOptions::default();
    let mut found: Vec<AccountKey> = Vec::new();
    loop {
        let page = store.accounts(&scan).await.unwrap();
        found.extend(page.accounts);
        match page.next {
            Some(next) => scan = scan.from(next),
            None => break,
        }
    }
    assert_eq!(found, [ada]);
}
