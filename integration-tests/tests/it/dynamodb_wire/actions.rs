use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use token_cache_core::{
    AccountListOptions, AcquireOptions, BackgroundKey, BackgroundSession, BackgroundSessions,
    EntryKey, EvictOptions, LockOwner, LogoutMessage, ProviderSid, ReadOptions, RefreshLocks,
    SignOutScope, Timestamp, Version,
};
use token_cache_dynamodb::SweepOptions;

use super::setup::{ISSUER, Wire, account};

const SERVERS: &str = include_str!("../../../../docs/dynamodb/servers-policy.json");
const OPERATOR: &str = include_str!("../../../../docs/dynamodb/operator-policy.json");

/// Returns the actions that a policy allows.
fn allowed(policy: &str) -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap())
        .map(|action| action.strip_prefix("dynamodb:").unwrap().to_owned())
        .collect()
}

/// Runs every operation of servers.
async fn serve(wire: &Wire) {
    let key = EntryKey::resource("https://api.example").unwrap();
    let cache = &wire.cache;
    let session = wire.sign_in("ada", Some("sid-1")).await;
    session.put(&key, b"tokens".as_slice()).await.unwrap();
    session.get(&key).await.unwrap().unwrap();
    session.remove(&key).await.unwrap();
    cache.resume(&session.ticket().unwrap()).await.unwrap();
    cache.sessions(&account("ada")).await.unwrap();
    assert!(session.sign_out().await.unwrap().ended);
    // A write that arrives after the sign-out removes its own entry.
    assert!(
        session
            .put(&key, b"late".as_slice())
            .await
            .unwrap_err()
            .is_signed_out()
    );

    wire.sign_in("ada", Some("sid-2")).await;
    let sid = ProviderSid::new(ISSUER, "sid-2").unwrap();
    assert!(
        cache
            .sign_out(SignOutScope::ProviderSession(sid))
            .await
            .unwrap()
            .ended
    );
    wire.sign_in("ada", Some("sid-3")).await;
    let message = LogoutMessage::new(ISSUER, Timestamp::from_secs(4_000_000_000)).unwrap();
    let message = message.subject("ada").unwrap().sid("sid-3").unwrap();
    assert!(cache.sign_out_by(&message).await.unwrap().ended);
    let accounts = ["ada", "bob"].map(account);
    let mut many = cache.sign_out_accounts(&accounts).unwrap();
    while many.step().await.unwrap().is_some() {}
    assert!(!cache.sign_out_account(&account("eve")).await.unwrap().ended);

    let at = wire.begin(3).await;
    let now = wire.now().await;
    let owner = LockOwner::mint().unwrap();
    let options = AcquireOptions::new(owner, Duration::from_secs(5), now);
    wire.store.acquire(&at, options).await.unwrap();
    wire.store.release(&at, &owner).await.unwrap();
    let (version, options) = (Version::from_bytes([9; 8]), EvictOptions::at(now));
    assert!(
        !wire
            .store
            .end_if_version(&at, version, options)
            .await
            .unwrap()
    );
    store_a_background_session(wire).await;
}

async fn store_a_background_session(wire: &Wire) {
    let at = wire.begin(4).await;
    let now = ReadOptions::at(wire.now().await);
    let name = BackgroundKey::from_bytes([7; 16]);
    let background_session = BackgroundSession::new(*at.session_id(), b"sealed".to_vec());
    wire.store
        .keep(at.account(), &name, background_session.clone(), now)
        .await
        .unwrap();
    let found = wire.store.find(at.account(), &name, now).await.unwrap();
    assert_eq!(found, [background_session]);
}

async fn operate(wire: &Wire) {
    // A sign-out leaves an entry behind, which the sweeper removes.
    let key = EntryKey::resource("https://api.example").unwrap();
    let session = wire.sign_in("leo", None).await;
    session.put(&key, b"tokens".as_slice()).await.unwrap();
    assert!(session.sign_out().await.unwrap().ended);
    let options = SweepOptions::every(Duration::from_secs(1));
    assert_eq!(wire.store.sweep(options).await.unwrap().deleted, 1);

    wire.sign_in("zoe", None).await;
    wire.cache
        .accounts(&AccountListOptions::default())
        .await
        .unwrap();
    let mut issuer = wire.cache.sign_out_issuer(ISSUER).unwrap();
    while issuer.step().await.unwrap().is_some() {}
}

/// Returns the actions that were called. A transaction is allowed by the actions that it consists of.
fn called(wire: &Wire) -> BTreeSet<String> {
    let mut called: BTreeSet<String> = wire.proxy.actions().into_iter().collect();
    if called.remove("TransactWriteItems") {
        called.extend(["ConditionCheckItem", "PutItem"].map(str::to_owned));
    }
    called
}

#[tokio::test]
async fn servers_call_all_that_their_policy_allows_and_nothing_else() {
    let wire = Wire::patient().await;
    serve(&wire).await;
    assert_eq!(called(&wire), allowed(SERVERS));
}

#[tokio::test]
async fn operators_and_sweepers_call_all_that_their_policy_allows_and_nothing_else() {
    let wire = Wire::patient().await;
    serve(&wire).await;
    operate(&wire).await;
    assert_eq!(called(&wire), allowed(OPERATOR));
}

/// The servers' policy is for one prefix, but no engine checks it.
#[tokio::test]
async fn servers_name_no_partition_outside_their_prefix() {
    let wire = Wire::patient().await;
    serve(&wire).await;
    let calls = wire.proxy.observed();
    let mut partitions = 0;
    for call in &calls {
        for partition in named(&call.asked) {
            assert!(
                partition.starts_with("wire:"),
                "{}: {partition}",
                call.action
            );
            partitions += 1;
        }
    }
    assert!(partitions > 20, "{partitions}");
}

/// Returns every partition key in a request.
fn named(asked: &Value) -> Vec<&str> {
    match asked {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value["S"].as_str() {
                Some(partition) if name == "pk" => vec![partition],
                _ => named(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(named).collect(),
        _ => Vec::new(),
    }
}

/// G1 depends on it, and no engine returns stale reads.
#[tokio::test]
async fn every_read_is_strongly_consistent() {
    let wire = Wire::patient().await;
    serve(&wire).await;
    operate(&wire).await;
    let calls = wire.proxy.observed();
    let reads: Vec<_> = calls
        .iter()
        .filter_map(|call| Some((call, call.is_consistent()?)))
        .collect();
    assert!(reads.len() > 20, "{}", reads.len());
    for (call, consistent) in reads {
        assert!(consistent, "{}: {}", call.action, call.asked);
    }
    for action in ["BatchGetItem", "GetItem", "Scan"] {
        assert!(wire.proxy.requests_of(action) > 0, "no {action} was seen");
    }
}
