//! The items of refresh locks.
//!
//! | attribute | value |
//! |---|---|
//! | `o` | the owner |
//! | `u` | the end of the lease |
//! | `l` | the length of the lease |
//! | `w` | the version that the owner is about to replace |
//! | `exp` | when the table may delete the item |
//!
//! A lock is valid only while the entry has the version in `w`. Once the entry has another version, the owner has written or lost. So a
//! write
//! needs no request to release its lock.

use std::time::Duration;

use async_trait::async_trait;
use token_cache_core::{
    AcquireOptions, Acquired, Entry, EntryAddress, EvictOptions, EvictTarget, LockOwner,
    RefreshLocks, Result, Version,
};

use crate::{
    DynamoDbStore,
    account_ops::live_session,
    client::{ConditionNotMet, Expression, Idempotency, Item, Operation, TransactOutcome, Value},
    entry::{self, seconds},
    error::signed_out,
    keys::Key,
    record::corrupt,
    store::Inner,
};

/// How long the item of a lock is kept after its lease.
const RETENTION: Duration = Duration::from_hours(1);

/// The lock of another owner.
struct CurrentLock {
    owner: Value,
    seen: Option<Version>,
    left: Duration,
}

#[async_trait]
impl RefreshLocks for DynamoDbStore {
    /// Takes the refresh lock of an entry, as [`RefreshLocks::acquire`] describes. It sends two requests: the first takes the lock or finds
    /// its owner, and the second reads the session and the entry. It sends more if it must release the lock, or take it over from an owner.
    async fn acquire(&self, at: &EntryAddress, options: AcquireOptions) -> Result<Acquired> {
        let inner = self.inner();
        let operation = inner.client.start("take a refresh lock");
        let key = inner.keys.lock(at);
        let mut over = None;
        loop {
            let refused = match inner.take(operation, &key, &options, over.take()).await? {
                Ok(()) => {
                    let read = inner.read_under_lock(operation, at, &options).await;
                    let fresher = match read {
                        Ok(entry) => entry.filter(|entry| is_fresher(entry, &options)),
                        Err(error) => {
                            inner.release_quietly(&key, &options.owner).await;
                            return Err(error);
                        }
                    };
                    return Ok(match fresher {
                        Some(entry) => {
                            inner.release_quietly(&key, &options.owner).await;
                            Acquired::Fresher(entry)
                        }
                        None => Acquired::Held,
                    });
                }
                Err(refused) => refused,
            };
            let entry = inner.read_under_lock(operation, at, &options).await?;
            let entry = entry.filter(|entry| !entry.is_expired(options.now));
            let version = entry.as_ref().map(Entry::version);
            if let Some(entry) = entry.filter(|entry| is_fresher(entry, &options)) {
                return Ok(Acquired::Fresher(entry));
            }
            match inner.other(operation, refused)? {
                Some(other) if version.is_none() || version == other.seen => {
                    return Ok(Acquired::Busy(other.left));
                }
                // The entry has another version than the lock, or the lock was released.
                other => over = other.map(|other| other.owner),
            }
        }
    }

    /// Ends the session of an entry if the entry still has this version, as [`RefreshLocks::end_if_version`] describes. It sends two
    /// requests: the first reads the account item, and the second replaces it in a transaction that checks the entry.
    async fn end_if_version(
        &self,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let inner = self.inner();
        let operation = inner.client.start("end a session");
        let (account, entry) = (inner.keys.account_item(at.account()), inner.keys.entry(at));
        loop {
            let seen = inner.account_item(operation, &account).await?;
            let mut sessions = seen.decode_all(operation)?;
            if !sessions.end(&EvictTarget::Session(*at.session_id()), options.now) {
                return Err(signed_out(operation.name));
            }
            let expression = entry::if_live_version(version, options.now);
            match inner
                .replace_while(
                    operation,
                    (&account, &seen),
                    &sessions,
                    (&entry, expression),
                )
                .await?
            {
                TransactOutcome::Written => return Ok(true),
                TransactOutcome::ConditionFailed => return Ok(false),
                TransactOutcome::Conflict => inner.client.back_off(operation).await?,
            }
        }
    }

    async fn release(&self, at: &EntryAddress, owner: &LockOwner) -> Result<()> {
        let inner = self.inner();
        let operation = inner.client.start("release a refresh lock");
        let key = inner.keys.lock(at);
        inner
            .client
            .delete(operation, Idempotency::Idempotent, &key, owned_by(owner))
            .await
    }
}

impl Inner {
    /// Takes the lock if it is free, has expired, or belongs to the owner or to `over`.
    async fn take(
        &self,
        operation: Operation,
        key: &Key,
        options: &AcquireOptions,
        over: Option<Value>,
    ) -> Result<std::result::Result<(), ConditionNotMet>> {
        let now = self.client.now()?;
        let until = now.latest + options.lease;
        let mut item = Item::at(key)
            .with("o", options.owner.as_bytes().as_slice())
            .with("u", until.as_millis())
            .with(
                "l",
                u64::try_from(options.lease.as_millis()).unwrap_or(u64::MAX),
            )
            .with("exp", seconds(until + RETENTION));
        if let Some(seen) = options.seen {
            item = item.with("w", seen.as_bytes().as_slice());
        }
        let free = "attribute_not_exists(#pk) OR #u <= :now OR #o = :me";
        let expression = match over {
            None => Expression::condition(free),
            Some(other) => {
                Expression::condition(format!("{free} OR #o = :other")).value(":other", other)
            }
        };
        let expression = expression
            .value(":now", now.earliest.as_millis())
            .value(":me", options.owner.as_bytes().as_slice())
            .return_existing();
        self.client
            .put(operation, Idempotency::Idempotent, item, expression)
            .await
    }

    /// Reads the entry, even if it has expired.
    async fn read_under_lock(
        &self,
        operation: Operation,
        at: &EntryAddress,
        options: &AcquireOptions,
    ) -> Result<Option<Entry>> {
        let (account_item, entry) = (self.keys.account_item(at.account()), self.keys.entry(at));
        let [account_item, entry] = self
            .client
            .get_both(operation, [&account_item, &entry])
            .await?;
        live_session(
            operation,
            account_item.as_ref(),
            at.session_id(),
            options.now,
        )?;
        let entry = entry.map(|item| entry::decode(operation.name, item));
        Ok(entry.transpose()?.flatten())
    }

    /// Releases a lock that is not needed. If that fails, the lease ends it.
    async fn release_quietly(&self, key: &Key, owner: &LockOwner) {
        let operation = self.client.start("release a refresh lock");
        let release = self
            .client
            .delete(operation, Idempotency::Idempotent, key, owned_by(owner));
        let _ = release.await;
    }

    /// Returns the existing lock in a refusal.
    fn other(&self, operation: Operation, refused: ConditionNotMet) -> Result<Option<CurrentLock>> {
        let Some(item) = refused.existing else {
            return Ok(None);
        };
        let read = || {
            let until = token_cache_core::Timestamp::from_millis(item.number("u")?);
            let lease = Duration::from_millis(item.number("l")?);
            let seen = match item.bytes("w") {
                Some(seen) => Some(Version::from_bytes(seen.try_into().ok()?)),
                None if item.has("w") => return None,
                None => None,
            };
            Some((item.value("o")?, seen, until, lease))
        };
        let (owner, seen, until, lease) =
            read().ok_or_else(|| corrupt(operation.name, "a refresh lock"))?;
        let left = until.since(self.client.now()?.earliest).min(lease);
        Ok(Some(CurrentLock { owner, seen, left }))
    }
}

fn is_fresher(entry: &Entry, options: &AcquireOptions) -> bool {
    !entry.is_expired(options.now) && options.seen != Some(entry.version())
}

fn owned_by(owner: &LockOwner) -> Expression {
    Expression::condition("#o = :me").value(":me", owner.as_bytes().as_slice())
}
