//! Operations on account items, which have the live sessions.

use token_cache_core::{
    AccountKey, BeginSession, Begun, EvictOptions, EvictTarget, Evicted, Result, SessionId,
    Timestamp,
};

use super::{
    dynamodb_like::DynamoDbLike,
    mutants::Mutant,
    network::Kind,
    redis_like::Refused,
    state::{AccountRecord, NotBefore},
};

impl DynamoDbLike {
    async fn record(&self, account: AccountKey) -> Result<Option<AccountRecord>> {
        let read = self
            .world
            .request(Kind::Read, "read the account item", move |state, _| {
                state.account_records.get(&account).cloned()
            });
        read.await
    }

    /// Replaces an account item if it is unchanged since it was read.
    pub(super) async fn replace(
        &self,
        account: AccountKey,
        seen: Option<AccountRecord>,
        mut new: AccountRecord,
        now: Timestamp,
        not_after: Timestamp,
    ) -> Result<ReplaceOutcome> {
        new.v = self.world.mint();
        self.bent.keep(&mut new, now);
        let seen = seen.map(|record| record.v);
        let write = self
            .world
            .request(Kind::Write, "write the account item", move |state, now| {
                let there = state.account_records.get(&account).map(|record| record.v);
                if there != seen {
                    return ReplaceOutcome::Conflict;
                }
                state.account_records.insert(account, new.clone());
                if now < not_after {
                    ReplaceOutcome::InTime
                } else {
                    ReplaceOutcome::Late
                }
            });
        write.await
    }

    pub(super) async fn lives(&self, account: AccountKey, session_id: SessionId) -> Result<bool> {
        let read = self
            .world
            .request(Kind::Read, "read the account item", move |state, now| {
                state.lives(&account, &session_id, now)
            });
        read.await
    }

    /// Evicts an account in one request, if no newer session signed in and no eviction with an equal or later time was made.
    async fn evict_at_once(
        &self,
        account: AccountKey,
        target: EvictTarget,
        options: EvictOptions,
        sets_not_before: bool,
    ) -> Result<Option<Evicted>> {
        let EvictTarget::Account(cutoff) = target else {
            return Ok(None);
        };
        let (v, bent) = (self.world.mint(), self.bent);
        let expires_at = options.now + bent.life(options.not_before_lifetime);
        let write = self
            .world
            .request(Kind::Write, "empty the account item", move |state, _| {
                let mut record = state
                    .account_records
                    .get(&account)
                    .cloned()
                    .unwrap_or_default();
                let newer = record
                    .newest
                    .is_some_and(|times| !times.is_not_after(cutoff));
                let (not_before, at) = record.not_before(&target)?;
                let as_late = not_before.is_some_and(|not_before| not_before.at >= at);
                if (newer || as_late) && !bent.is(Mutant::EvictsUnconditionally) {
                    return None;
                }
                if sets_not_before {
                    *not_before = Some(NotBefore { at, expires_at });
                }
                let sessions = std::mem::take(&mut record.sessions);
                record.v = v;
                bent.keep(&mut record, options.now);
                state.account_records.insert(account, record);
                Some(!sessions.is_empty())
            });
        Ok(write.await?.map(Evicted::new))
    }

    pub(super) async fn evict_target(
        &self,
        account: AccountKey,
        target: EvictTarget,
        options: EvictOptions,
        sets_not_before: bool,
    ) -> Result<Evicted> {
        if let Some(evicted) = self
            .evict_at_once(account, target, options, sets_not_before)
            .await?
        {
            return Ok(evicted);
        }
        loop {
            let seen = self.record(account).await?;
            let mut new = seen.clone().unwrap_or_default();
            let ended = new.end(&target);
            let not_before_set = sets_not_before && new.not_before(&target).is_some();
            if not_before_set {
                let expires_at = options.now + self.bent.life(options.not_before_lifetime);
                self.bent.set_not_before(&mut new, &target, expires_at);
            }
            if ended.is_empty() && !not_before_set
                || self
                    .replace(account, seen, new, options.now, Timestamp::MAX)
                    .await?
                    != ReplaceOutcome::Conflict
            {
                return Ok(Evicted::new(!ended.is_empty()));
            }
        }
    }

    pub(super) async fn begin_unconditionally(
        &self,
        account: AccountKey,
        session: BeginSession,
    ) -> Result<Begun> {
        let write = self
            .world
            .request(Kind::Write, "write the account item", move |state, now| {
                let record = state.account_records.entry(account).or_default();
                let refused = record.refuses(&session, now);
                if !refused {
                    record.begin(&session);
                    record.time_to_live = Some(session.record.ends_at);
                }
                refused
            });
        if write.await? {
            return Err(Refused.into());
        }
        Ok(Begun::displacing(0))
    }
}

/// The outcome of replacing an account item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ReplaceOutcome {
    /// Written in time.
    InTime,
    /// Written, but the answer's date is after `not_after`.
    Late,
    /// Another write came first.
    Conflict,
}
