//! Operations on account items.

use token_cache_core::{
    AccountKey, CutoffClock, CutoffTime, EvictOptions, EvictTarget, Evicted, Result, SessionId,
    SessionRecord, Timestamp,
};

use crate::{
    account_item::{self, AccountItem, NotBefore, not_before_of},
    client::{
        Expression, Idempotency, Item, Operation, ReturnValues, TransactOutcome, Value,
        random_version,
    },
    entry::seconds,
    error::signed_out,
    keys::Key,
    record::corrupt,
    store::Inner,
};

/// An account item as it was read. A write replaces exactly this version.
pub(crate) struct AccountSnapshot(Option<Item>);

/// The outcome of replacing an account item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplaceOutcome {
    Written,
    /// Another write came first.
    Conflict,
}

impl AccountSnapshot {
    /// Returns the decoded item, and whether all of it was valid.
    pub(crate) fn account_item(&self) -> (AccountItem, bool) {
        self.0
            .as_ref()
            .map_or_else(|| (AccountItem::default(), true), AccountItem::decode)
    }

    /// Returns the decoded item, or an error if a part of it is invalid.
    pub(crate) fn decode_all(&self, operation: Operation) -> Result<AccountItem> {
        match self.account_item() {
            (account_item, true) => Ok(account_item),
            (_, false) => Err(corrupt(operation.name, "the item of the account")),
        }
    }

    fn is(&self, version: &[u8]) -> bool {
        let existing = self.0.as_ref().and_then(|item| item.bytes("v"));
        existing == Some(version)
    }

    fn condition(&self) -> Expression {
        match self.0.as_ref().map(|item| item.value("v")) {
            None => Expression::condition("attribute_not_exists(#pk)"),
            Some(Some(seen)) => Expression::condition("#v = :seen").value(":seen", seen),
            Some(None) => {
                Expression::condition("attribute_exists(#pk) AND attribute_not_exists(#v)")
            }
        }
    }
}

/// Returns the record of a live session in an account item.
pub(crate) fn live_session(
    operation: Operation,
    account_item: Option<&Item>,
    session_id: &SessionId,
    now: Timestamp,
) -> Result<SessionRecord> {
    let session = account_item.map_or(Ok(None), |account_item| {
        account_item::session(account_item, session_id)
    });
    match session {
        Ok(Some(record)) if !record.is_over(now) => Ok(record),
        Ok(_) => Err(signed_out(operation.name)),
        Err(()) => Err(corrupt(operation.name, "a session's record")),
    }
}

impl Inner {
    pub(crate) async fn account_item(
        &self,
        operation: Operation,
        key: &Key,
    ) -> Result<AccountSnapshot> {
        self.client.get(operation, key).await.map(AccountSnapshot)
    }

    /// Reads the record of a session, and returns it if the session is live.
    pub(crate) async fn live_session(
        &self,
        operation: Operation,
        account: &AccountKey,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Result<SessionRecord> {
        let account_item = self
            .client
            .get(operation, &self.keys.account_item(account))
            .await?;
        live_session(operation, account_item.as_ref(), session_id, now)
    }

    /// Replaces an account item if it is unchanged since it was read.
    pub(crate) async fn replace(
        &self,
        operation: Operation,
        idempotency: Idempotency,
        (key, seen): (&Key, &AccountSnapshot),
        (new, version): (&AccountItem, &[u8]),
    ) -> Result<ReplaceOutcome> {
        let item = new.encode(key, version, self.client.now()?.latest);
        let put = self
            .client
            .put(operation, idempotency, item, seen.condition());
        Ok(match put.await? {
            Ok(()) => ReplaceOutcome::Written,
            Err(_) => ReplaceOutcome::Conflict,
        })
    }

    /// Replaces an account item if it is unchanged and another item meets a condition, in one transaction.
    pub(crate) async fn replace_while(
        &self,
        operation: Operation,
        (key, seen): (&Key, &AccountSnapshot),
        new: &AccountItem,
        other: (&Key, Expression),
    ) -> Result<TransactOutcome> {
        let item = new.encode(key, &random_version()?, self.client.now()?.latest);
        let put = self
            .client
            .put_while(operation, (item, seen.condition()), other);
        put.await
    }

    /// Evicts sessions of an account. Sets no not-before time if that of the issuer covers it.
    pub(crate) async fn evict(
        &self,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
        sets_not_before: bool,
    ) -> Result<Evicted> {
        let operation = self.client.start(EVICT);
        let key = self.keys.account_item(account);
        if let EvictTarget::Account(cutoff) = target
            && let Some(evicted) = self
                .evict_at_once(operation, &key, cutoff, options, sets_not_before)
                .await?
        {
            return Ok(evicted);
        }
        let mut tried: Option<([u8; 8], bool)> = None;
        loop {
            let seen = self.account_item(operation, &key).await?;
            if let Some((version, ended)) = tried
                && seen.is(&version)
            {
                // An earlier attempt was applied and its response was lost.
                return Ok(Evicted::new(ended));
            }
            let (mut account_item, complete) = seen.account_item();
            let ended = account_item.end(&target, options.now) || !complete;
            let not_before = not_before_of(&target).filter(|_| sets_not_before);
            if let Some((kind, at)) = not_before {
                let expires_at = self
                    .client
                    .expiry_after_arrival(options.not_before_lifetime)?;
                account_item.set_not_before(kind, NotBefore { at, expires_at });
            }
            if !ended && not_before.is_none() {
                return Ok(Evicted::new(false));
            }
            let version = random_version()?;
            let new = (&account_item, version.as_slice());
            let replaced = self
                .replace(operation, Idempotency::Idempotent, (&key, &seen), new)
                .await?;
            if replaced == ReplaceOutcome::Written {
                return Ok(Evicted::new(ended));
            }
            tried = Some((version, ended));
            self.client.back_off(operation).await?;
        }
    }

    /// Evicts all sessions of an account in one request, or returns `None` if a newer session or a later not-before time exists.
    async fn evict_at_once(
        &self,
        operation: Operation,
        key: &Key,
        cutoff: CutoffTime,
        options: EvictOptions,
        sets_not_before: bool,
    ) -> Result<Option<Evicted>> {
        let until = self
            .client
            .expiry_after_arrival(options.not_before_lifetime)?;
        let kept = until.max(
            self.client
                .expiry_after_arrival(token_cache_core::NOT_BEFORE_LIFETIME)?,
        );
        let expression = evict_expression(cutoff, until, kept, sets_not_before)
            .value(":v", random_version()?.as_slice());
        let update = self.client.update(
            operation,
            Idempotency::Idempotent,
            key,
            expression,
            ReturnValues::Old,
        );
        Ok(update.await?.ok().map(|replaced| {
            let ended =
                replaced.is_some_and(|old| account_item::had_live_session(&old, options.now));
            Evicted::new(ended)
        }))
    }
}

/// The update that removes all sessions of an account item. It fails if a session is newer than the cutoff, or a not-before time is later
/// or expires later.
///
/// It also fails if an attribute has the wrong type. The caller then replaces the whole item.
fn evict_expression(
    cutoff: CutoffTime,
    until: Timestamp,
    kept: Timestamp,
    sets_not_before: bool,
) -> Expression {
    let (not_before, not_before_end, newest, others) = match cutoff.clock {
        CutoffClock::Store => ("#ks", "#xs", "#ns", "#np #kp #ku"),
        CutoffClock::Provider => ("#kp", "#xp", "#np", "#ns #ks #ku"),
    };
    let absent_or =
        |name: &str, then: &str| format!("(attribute_not_exists({name}) OR {name} {then})");
    let mut conditions = vec![
        absent_or(not_before, "< :at"),
        absent_or(newest, "BETWEEN :zero AND :at"),
    ];
    conditions.extend(others.split(' ').map(|name| absent_or(name, ">= :zero")));
    conditions.extend(
        ["#xs", "#xp", "#xu"]
            .iter()
            .filter(|end| !sets_not_before || **end != not_before_end)
            .map(|end| absent_or(end, "BETWEEN :zero AND :kept")),
    );
    let mut set = "SET #s = :none, #v = :v, #exp = :exp".to_owned();
    if sets_not_before {
        conditions.push(absent_or(not_before_end, "<= :until"));
        set = format!("{set}, {not_before} = :at, {not_before_end} = :until");
    }
    let expression = Expression::set(set)
        .only_if(conditions.join(" AND "))
        .value(":none", Value::map([]))
        .value(":at", cutoff.at.as_millis())
        .value(":zero", 0)
        .value(":kept", kept.as_millis())
        .value(":exp", seconds(kept));
    if sets_not_before {
        expression.value(":until", until.as_millis())
    } else {
        expression
    }
}

pub(crate) const EVICT: &str = "sign out an account";
