use std::collections::HashMap;

use async_trait::async_trait;

use super::{MemoryStore, partition::NotBefore};
use crate::{
    AccountCursor, AccountKey, AccountListOptions, AccountPage, CutoffBound, CutoffTime, Error,
    EvictOptions, EvictTarget, Evicted, IssuerKey, NotBeforeOptions, NotBeforeScope, Result,
    SidAccounts, SidEntry, SidIndex, SidKey, Timestamp,
};

/// The number of sign-ins between two sweeps of expired index entries.
const SWEEP_EVERY: usize = 1_024;

/// The index across accounts.
#[derive(Default)]
pub(super) struct Index {
    sids: HashMap<SidKey, SidRecord>,
    issuers: HashMap<IssuerKey, Option<NotBefore>>,
    steps: usize,
}

/// The record of a `sid`.
#[derive(Default)]
struct SidRecord {
    accounts: HashMap<AccountKey, Timestamp>,
    not_before: Option<NotBefore>,
    /// The time until which the `sid` is refused at least, if the provider has ended it.
    ended_forever: Option<Timestamp>,
}

impl SidRecord {
    fn refuse(&self, requested_at: Timestamp, now: Timestamp) -> bool {
        self.ended_forever.is_some_and(|until| now < until)
            || NotBefore::refuses(self.not_before, requested_at, now)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.accounts.values().max().copied()
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at().is_none_or(|ends| ends <= now)
            && self.ended_forever.is_none_or(|until| until <= now)
            && self
                .not_before
                .is_none_or(|not_before| !not_before.stands(now))
    }
}

impl Index {
    fn sweep(&mut self, now: Timestamp) {
        self.steps += 1;
        if self.steps.is_multiple_of(SWEEP_EVERY) {
            self.sids.retain(|_, sid_record| !sid_record.is_over(now));
            self.issuers.retain(|_, not_before| {
                not_before.is_some_and(|not_before| not_before.stands(now))
            });
        }
    }
}

#[async_trait]
impl SidIndex for MemoryStore {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        let now = self.0.clock.now();
        let mut index = self.index();
        index.sweep(now);
        let sid_record = index.sids.entry(*sid).or_default();
        if now >= sid_entry.not_after || sid_record.refuse(sid_entry.requested_at, now) {
            return Err(signed_out("enter a `sid`"));
        }
        let ends_at = sid_record.accounts.entry(sid_entry.account).or_default();
        *ends_at = (*ends_at).max(sid_entry.ends_at);
        Ok(())
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let now = self.0.clock.now();
        let mut index = self.index();
        let sid_record = index.sids.entry(*sid).or_default();
        let life = sid_record
            .expires_at()
            .unwrap_or_default()
            .max(now + options.not_before_lifetime);
        match bound {
            CutoffBound::Forever => {
                sid_record.ended_forever = sid_record.ended_forever.max(Some(life));
            }
            CutoffBound::Time(cutoff) => {
                NotBefore::raise(&mut sid_record.not_before, cutoff.at, life);
            }
        }
        let accounts = sid_record
            .accounts
            .iter()
            .filter(|(_, ends_at)| now < **ends_at)
            .map(|(account, _)| *account)
            .collect();
        Ok(SidAccounts::at(accounts))
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let now = self.0.clock.now();
        let not_before = self.index().issuers.get(issuer).copied().flatten();
        if now >= not_after || NotBefore::refuses(not_before, requested_at, now) {
            return Err(signed_out("check the issuer"));
        }
        Ok(())
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        let expires_at = self.0.clock.now() + options.not_before_lifetime;
        NotBefore::raise(
            self.index().issuers.entry(*issuer).or_default(),
            at,
            expires_at,
        );
        Ok(())
    }

    /// Returns the accounts of one internal part of the store as a page. Ignores the requested size of a page.
    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        let shard = match &scan.cursor {
            None => 0,
            Some(cursor) => cursor.as_str().parse().map_err(|_| foreign_cursor())?,
        };
        let (accounts, more) = self
            .0
            .shards
            .accounts(shard, scan.issuer.as_ref())
            .ok_or_else(foreign_cursor)?;
        Ok(AccountPage::new(
            accounts,
            more.then(|| AccountCursor::new((shard + 1).to_string())),
        ))
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        mut options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        if not_before == NotBeforeScope::Issuer {
            options.not_before_lifetime = std::time::Duration::ZERO;
        }
        let now = self.0.clock.now();
        let target = EvictTarget::Account(CutoffTime::on_store_clock(at));
        accounts
            .iter()
            .map(|account| {
                Ok(self.with_partition(account, |partition| partition.evict(target, options, now)))
            })
            .collect()
    }
}

fn signed_out(operation: &'static str) -> Error {
    Error::signed_out(operation).store("memory")
}

fn foreign_cursor() -> Error {
    Error::misuse(
        "list accounts",
        "the cursor is of another store; begin the list anew, without a cursor",
    )
    .store("memory")
}
