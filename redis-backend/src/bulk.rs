//! Evictions of many accounts. On one server a script evicts hundreds. On a Cluster each account has its own slot and its own script, and
//! many run at a time.

use futures_util::{StreamExt, stream};
use token_cache_core::{AccountKey, Error, Evicted, Result, Timestamp};

use crate::{
    client::{Call, Idempotency, Reply, unexpected},
    error::reason,
    evict::EVICT,
    keys::millis,
    scripts,
    store::Inner,
};

/// The most accounts of a script. A longer script delays other requests.
const ACCOUNTS_PER_SCRIPT: usize = 500;

/// The number of concurrent scripts on a Cluster.
const CONCURRENCY: usize = 256;

pub(crate) enum Outcome {
    Evicted(Evicted),
    /// Nothing was evicted, since the account has a newer session.
    Newer,
}

/// Evicts the accounts that have no session newer than `at`. With a `life`, it also sets the not-before time of each account.
pub(crate) async fn evict(
    inner: &Inner,
    accounts: &[AccountKey],
    at: Timestamp,
    life: Option<u64>,
    now: Timestamp,
) -> Vec<Result<Outcome>> {
    let script = |some: &[AccountKey]| call(inner, some, at, life, now);
    if inner.client.is_cluster() {
        let each: Vec<_> = accounts
            .iter()
            .map(|account| script(std::slice::from_ref(account)))
            .map(|call| async move {
                let confirmed = inner
                    .client
                    .confirmed(EVICT, Idempotency::Idempotent, call)
                    .await?;
                one(confirmed.answer, 1, confirmed.replicas)?
                    .pop()
                    .ok_or_else(|| unexpected(EVICT))
            })
            .collect();
        return stream::iter(each).buffered(CONCURRENCY).collect().await;
    }
    if accounts.is_empty() {
        return Vec::new();
    }
    let chunks: Vec<&[AccountKey]> = accounts.chunks(ACCOUNTS_PER_SCRIPT).collect();
    let calls: Vec<Call> = chunks.iter().map(|some| script(some)).collect();
    let pipeline = inner
        .client
        .pipeline(EVICT, Idempotency::Idempotent, &calls)
        .await;
    let (replies, replicas) = match pipeline {
        Ok(confirmed) => (confirmed.answer, confirmed.replicas),
        Err(error) => return failed(&error, accounts.len()),
    };
    let mut outcomes = Vec::with_capacity(accounts.len());
    for (answer, some) in replies.into_iter().zip(chunks) {
        match answer.and_then(|answer| one(answer, some.len(), replicas)) {
            Ok(some) => outcomes.extend(some.into_iter().map(Ok)),
            Err(error) => outcomes.extend(failed(&error, some.len())),
        }
    }
    outcomes
}

fn call(
    inner: &Inner,
    accounts: &[AccountKey],
    at: Timestamp,
    life: Option<u64>,
    now: Timestamp,
) -> Call {
    let mut keys = Vec::with_capacity(accounts.len() * 2);
    for account in accounts {
        keys.push(inner.keys.account(account));
        if life.is_some() {
            keys.push(inner.keys.not_before(account));
        }
    }
    let call = Call::script_on(&scripts::EVICT_ACCOUNTS, keys).number(millis(at));
    let call = match life {
        Some(life) => call.number(life),
        None => call.bytes(b""),
    };
    call.number(millis(now))
}

fn one(answer: Reply, accounts: usize, replicas: Option<u32>) -> Result<Vec<Outcome>> {
    let digits = answer.bytes(EVICT)?.unwrap_or_default();
    if digits.len() != accounts {
        return Err(unexpected(EVICT));
    }
    digits
        .into_iter()
        .map(|digit| {
            let evicted = Evicted::new(digit == b'1').confirmed_by(replicas);
            match digit {
                b'0' | b'1' => Ok(Outcome::Evicted(evicted)),
                b'2' => Ok(Outcome::Newer),
                _ => Err(unexpected(EVICT)),
            }
        })
        .collect()
}

/// Returns the error of a request for each of its accounts.
fn failed(error: &Error, accounts: usize) -> Vec<Result<Outcome>> {
    let again = || {
        let copy = Error::new(error.kind(), EVICT)
            .store(crate::STORE)
            .message(reason(error));
        if error.may_have_applied() {
            copy.maybe_applied()
        } else {
            copy
        }
    };
    (0..accounts).map(|_| Err(again())).collect()
}
