use std::collections::HashMap;

use async_trait::async_trait;

use super::{MemoryStore, partition::Marker};
use crate::{
    AccountKey, Cursor, CutoffBound, CutoffTime, Error, EvictOptions, EvictTarget, Evicted,
    IssuerKey, MarkOptions, Marking, Page, Pointed, Pointer, Result, Scan, SidIndex, SidKey,
    Timestamp,
};

/// Expired index entries are swept once in so many sign-ins.
const SWEEP_EVERY: usize = 1_024;

/// What goes across accounts.
#[derive(Default)]
pub(super) struct Index {
    sids: HashMap<SidKey, Pointers>,
    issuers: HashMap<IssuerKey, Option<Marker>>,
    steps: usize,
}

/// What is known under a `sid`.
#[derive(Default)]
struct Pointers {
    accounts: HashMap<AccountKey, Timestamp>,
    marker: Option<Marker>,
    /// Ended by the provider, until then at least.
    ended_for_good: Option<Timestamp>,
}

impl Pointers {
    fn refuse(&self, requested_at: Timestamp, now: Timestamp) -> bool {
        self.ended_for_good.is_some_and(|bound| now < bound)
            || Marker::refuses(self.marker, requested_at, now)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.accounts.values().max().copied()
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at().is_none_or(|ends| ends <= now)
            && self.ended_for_good.is_none_or(|bound| bound <= now)
            && self.marker.is_none_or(|marker| !marker.stands(now))
    }
}

impl Index {
    fn sweep(&mut self, now: Timestamp) {
        self.steps += 1;
        if self.steps.is_multiple_of(SWEEP_EVERY) {
            self.sids.retain(|_, pointers| !pointers.is_over(now));
            self.issuers
                .retain(|_, marker| marker.is_some_and(|marker| marker.stands(now)));
        }
    }
}

#[async_trait]
impl SidIndex for MemoryStore {
    async fn point(&self, sid: &SidKey, pointer: Pointer) -> Result<()> {
        let now = self.0.clock.now();
        let mut index = self.index();
        index.sweep(now);
        let pointers = index.sids.entry(*sid).or_default();
        if now >= pointer.not_after || pointers.refuse(pointer.requested_at, now) {
            return Err(signed_out("enter a `sid`"));
        }
        let ends_at = pointers.accounts.entry(pointer.account).or_default();
        *ends_at = (*ends_at).max(pointer.ends_at);
        Ok(())
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: MarkOptions,
    ) -> Result<Pointed> {
        let now = self.0.clock.now();
        let mut index = self.index();
        let pointers = index.sids.entry(*sid).or_default();
        let life = pointers
            .expires_at()
            .unwrap_or_default()
            .max(now + options.marker_life);
        match bound {
            CutoffBound::Forever => {
                pointers.ended_for_good = pointers.ended_for_good.max(Some(life));
            }
            CutoffBound::Time(moment) => Marker::raise(&mut pointers.marker, moment.at, life),
        }
        let accounts = pointers
            .accounts
            .iter()
            .filter(|(_, ends_at)| now < **ends_at)
            .map(|(account, _)| *account)
            .collect();
        Ok(Pointed::at(accounts))
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let now = self.0.clock.now();
        let marker = self.index().issuers.get(issuer).copied().flatten();
        if now >= not_after || Marker::refuses(marker, requested_at, now) {
            return Err(signed_out("check the issuer"));
        }
        Ok(())
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: MarkOptions,
    ) -> Result<()> {
        let expires_at = self.0.clock.now() + options.marker_life;
        Marker::raise(
            self.index().issuers.entry(*issuer).or_default(),
            at,
            expires_at,
        );
        Ok(())
    }

    /// A page is a shard, whatever size is asked for.
    async fn accounts(&self, scan: &Scan) -> Result<Page> {
        let shard = match &scan.cursor {
            None => 0,
            Some(cursor) => cursor.as_str().parse().map_err(|_| foreign_cursor())?,
        };
        let (accounts, more) = self
            .0
            .shards
            .accounts(shard, scan.issuer.as_ref())
            .ok_or_else(foreign_cursor)?;
        Ok(Page::new(
            accounts,
            more.then(|| Cursor::new((shard + 1).to_string())),
        ))
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        marking: Marking,
        mut options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        if marking == Marking::Issuer {
            options.marker_life = std::time::Duration::ZERO;
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
    Error::misuse("list accounts", "the cursor is of another store").store("memory")
}
