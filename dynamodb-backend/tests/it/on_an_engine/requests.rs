//! The number of requests. The existing client counts them, since the store keeps its interceptors.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
};
use token_cache_core::{
    AccountListOptions, AcquireOptions, Acquired, BackgroundKey, BackgroundSession,
    BackgroundSessions, CutoffBound, CutoffTime, Entry, EvictOptions, EvictTarget, LockOwner,
    NotBeforeOptions, NotBeforeScope, PutMode, PutResult, REMEMBERED_CREATIONS, ReadOptions,
    RefreshLocks, SidEntry, SidIndex, SidKey, TokenStore, Version, WriteOptions,
};
use token_cache_dynamodb::DynamoDbStore;

use crate::engine::config;
use crate::on_an_engine::{
    LIFETIME, account, engine, entry_of, fresh, now, puts, session, signs_in,
};

/// The actions of the requests so far, except reads of the namespace, which sample the clock.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<Vec<String>>>);

impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default();
        if body.contains(":N\"") {
            return Ok(());
        }
        // G1 depends on it.
        if ["GetItem", "BatchGetItem", "Scan"].contains(&action) {
            assert!(body.contains("\"ConsistentRead\":true"), "{action}: {body}");
        }
        self.0.lock().unwrap().push(action.to_owned());
        Ok(())
    }
}

impl Sent {
    async fn store(&self, namespace: &str) -> DynamoDbStore {
        let client = Client::from_conf(engine().settings().interceptor(self.clone()).build());
        let store = DynamoDbStore::existing_client(&client, config(namespace))
            .await
            .unwrap();
        assert_eq!(self.take(), ["DescribeTable", "DescribeTimeToLive"]);
        store
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn reads_and_writes_take_as_many_requests_as_stated() {
    let sent = Sent::default();
    let store = sent.store("requests-1").await;
    let (now, ada) = (now(&store).await, account());
    let session_id = signs_in(&store, &ada, now).await;
    assert_eq!(sent.take(), ["GetItem", "PutItem"]);
    let (at, options) = (entry_of(ada, session_id), ReadOptions::at(now));
    assert_eq!(store.read(&at, options).await.unwrap(), None);
    assert_eq!(sent.take(), ["BatchGetItem"]);
    let version = puts(&store, &at, PutMode::Overwrite, now).await;
    assert_eq!(sent.take(), ["UpdateItem", "GetItem"]);
    puts(&store, &at, PutMode::Update(version), now).await;
    assert_eq!(sent.take(), ["UpdateItem", "GetItem"]);
    assert!(store.read(&at, options).await.unwrap().is_some());
    assert_eq!(sent.take(), ["BatchGetItem"]);
    store.session(&ada, &session_id, options).await.unwrap();
    store.sessions(&ada, options).await.unwrap();
    assert_eq!(sent.take(), ["GetItem", "GetItem"]);
    store.remove(&at).await.unwrap();
    assert_eq!(sent.take(), ["UpdateItem"]);
    puts(&store, &at, PutMode::Create, now).await;
    assert_eq!(sent.take(), ["UpdateItem", "GetItem"]);

    let too_large = vec![0; store.capabilities().max_entry_bytes + 1];
    let entry = Entry::new(too_large, version, now + LIFETIME);
    let refused = store.write(&at, entry, WriteOptions::at(now)).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        token_cache_core::ErrorKind::TooLarge
    );
    assert_eq!(sent.take(), Vec::<String>::new());
}

/// Only an entry that is created very often rarely needs more requests.
#[tokio::test]
async fn an_entry_that_is_created_again_and_again_takes_two_more_requests_now_and_then() {
    let sent = Sent::default();
    let store = sent.store("requests-9").await;
    let (now, ada) = (now(&store).await, account());
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    sent.take();
    let mut longer = Vec::new();
    for created in 1..=4 * REMEMBERED_CREATIONS {
        puts(&store, &at, PutMode::Create, now).await;
        match sent.take().as_slice() {
            [update, get] if update == "UpdateItem" && get == "GetItem" => {}
            other => longer.push((created, other.len())),
        }
        store.remove(&at).await.unwrap();
        assert_eq!(sent.take(), ["UpdateItem"]);
    }
    let first = 2 * REMEMBERED_CREATIONS + 1;
    assert_eq!(longer, [(first, 4), (first + REMEMBERED_CREATIONS, 4)]);
}

#[tokio::test]
async fn a_sign_out_of_an_account_is_one_request_whatever_it_holds() {
    let sent = Sent::default();
    let store = sent.store("requests-2").await;
    let (now, ada) = (now(&store).await, account());
    for _ in 0..3 {
        let session_id = signs_in(&store, &ada, now).await;
        for _ in 0..20 {
            puts(&store, &entry_of(ada, session_id), PutMode::Create, now).await;
        }
    }
    let target = |at| EvictTarget::Account(CutoffTime::on_store_clock(at));
    let options = EvictOptions::at(now);
    sent.take();
    assert!(store.evict(&ada, target(now), options).await.unwrap().ended);
    assert_eq!(sent.take(), ["UpdateItem"]);
    // An unknown account.
    assert!(
        !store
            .evict(&account(), target(now), options)
            .await
            .unwrap()
            .ended
    );
    assert_eq!(sent.take(), ["UpdateItem"]);
    // After a later sign-out.
    let earlier = target(now - LIFETIME);
    assert!(!store.evict(&ada, earlier, options).await.unwrap().ended);
    assert_eq!(sent.take(), ["UpdateItem", "GetItem", "PutItem"]);

    let bob = account();
    let session_id = signs_in(&store, &bob, now).await;
    sent.take();
    assert!(
        store
            .evict(&bob, EvictTarget::Session(session_id), options)
            .await
            .unwrap()
            .ended
    );
    assert_eq!(sent.take(), ["GetItem", "PutItem"]);
    assert!(
        !store
            .evict(&bob, EvictTarget::Session(session_id), options)
            .await
            .unwrap()
            .ended
    );
    assert_eq!(sent.take(), ["GetItem"]);

    let many: Vec<_> = (0..100).map(|_| account()).collect();
    let evicted = store
        .evict_accounts(&many, now, NotBeforeScope::Account, options)
        .await;
    assert!(evicted.into_iter().all(|evicted| evicted.is_ok()));
    assert_eq!(sent.take(), vec!["UpdateItem"; 100]);
}

#[tokio::test]
async fn an_uncontended_refresh_takes_five_requests() {
    let sent = Sent::default();
    let store = sent.store("requests-3").await;
    let (now, ada) = (now(&store).await, account());
    let at = entry_of(ada, signs_in(&store, &ada, now).await);
    puts(&store, &at, PutMode::Create, now).await;
    sent.take();

    let due = store
        .read(&at, ReadOptions::at(now))
        .await
        .unwrap()
        .unwrap();
    let owner = LockOwner::mint().unwrap();
    let options = AcquireOptions::new(owner, LIFETIME, now).seen(due.version());
    assert_eq!(store.acquire(&at, options).await.unwrap(), Acquired::Held);
    let refreshed = Entry::new(*b"refreshed", Version::mint().unwrap(), now + LIFETIME);
    let options = WriteOptions::at(now)
        .mode(PutMode::Update(due.version()))
        .releasing(owner);
    let written = store.write(&at, refreshed.clone(), options).await.unwrap();
    assert_eq!(written, PutResult::Stored);
    assert_eq!(
        sent.take(),
        [
            "BatchGetItem",
            "PutItem",
            "BatchGetItem",
            "UpdateItem",
            "GetItem"
        ]
    );

    // The next refresh gets the lock at once, although it was not released.
    let next = LockOwner::mint().unwrap();
    let options = AcquireOptions::new(next, LIFETIME, now).seen(refreshed.version());
    assert_eq!(store.acquire(&at, options).await.unwrap(), Acquired::Held);
    assert_eq!(
        sent.take(),
        ["PutItem", "BatchGetItem", "PutItem", "BatchGetItem"]
    );
    store.release(&at, &next).await.unwrap();
    assert_eq!(sent.take(), ["DeleteItem"]);
}

#[tokio::test]
async fn the_sid_index_and_background_sessions_take_as_many_requests_as_stated() {
    let sent = Sent::default();
    let store = sent.store("requests-4").await;
    let (now, ada) = (now(&store).await, account());
    let session_id = signs_in(&store, &ada, now).await;
    let sid = SidKey::from_bytes(fresh());
    let session = session(now);
    let (ends_at, not_after) = (session.record.ends_at, session.not_after);
    sent.take();

    store
        .add(&sid, SidEntry::new(ada, now, ends_at, not_after))
        .await
        .unwrap();
    assert_eq!(sent.take(), ["UpdateItem"]);
    let shorter = SidEntry::new(ada, now, ends_at - LIFETIME / 2, not_after);
    store.add(&sid, shorter).await.unwrap();
    assert_eq!(sent.take(), ["UpdateItem", "PutItem"]);
    let bound = CutoffBound::Time(CutoffTime::on_store_clock(now - LIFETIME));
    for bound in [bound, CutoffBound::Forever] {
        let found = store
            .set_sid_not_before(&sid, bound, NotBeforeOptions::default())
            .await;
        assert_eq!(found.unwrap().accounts, [ada]);
        assert_eq!(sent.take(), ["UpdateItem"]);
    }
    let issuer = token_cache_core::IssuerKey::from_bytes(fresh());
    store.check_issuer(&issuer, now, not_after).await.unwrap();
    assert_eq!(sent.take(), ["GetItem"]);
    store
        .set_issuer_not_before(&issuer, now, NotBeforeOptions::default())
        .await
        .unwrap();
    assert_eq!(sent.take(), ["PutItem"]);

    let (name, options) = (BackgroundKey::from_bytes(fresh()), ReadOptions::at(now));
    let background_session = BackgroundSession::new(session_id, b"sealed".to_vec());
    store
        .keep(&ada, &name, background_session, options)
        .await
        .unwrap();
    assert_eq!(sent.take(), ["GetItem", "PutItem", "GetItem"]);
    assert_eq!(store.find(&ada, &name, options).await.unwrap().len(), 1);
    assert_eq!(sent.take(), ["GetItem", "BatchGetItem"]);

    let page = store
        .accounts(&AccountListOptions::default())
        .await
        .unwrap();
    assert!(page.accounts.contains(&ada));
    assert_eq!(sent.take(), ["Scan"]);
}
