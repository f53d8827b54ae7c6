use std::collections::HashMap;

use super::not_before::NotBefore;
use crate::{
    AccountKey, CutoffBound, IssuerKey, NotBeforeOptions, SidAccounts, SidEntry, SidKey, Timestamp,
};

/// The number of sign-ins between two sweeps of expired entries.
const SWEEP_EVERY: usize = 1_024;

/// The index of `sid`s and the not-before times of issuers, for a store in the memory of one process. Its methods are the steps of
/// [`SidIndex`](crate::SidIndex) that concern no account's partition. The caller makes each step atomic, for example with a lock.
///
/// `now` is the time on the store's own clock.
#[derive(Debug, Default)]
pub struct SidTable {
    sids: HashMap<SidKey, SidRecord>,
    issuers: HashMap<IssuerKey, Option<NotBefore>>,
    steps: usize,
}

/// The record of a `sid`.
#[derive(Debug, Default)]
struct SidRecord {
    accounts: HashMap<AccountKey, Timestamp>,
    not_before: Option<NotBefore>,
    /// The time until which the `sid` is refused at least, if the provider has ended it.
    ended_forever: Option<Timestamp>,
}

impl SidRecord {
    fn refuses(&self, requested_at: Timestamp, now: Timestamp) -> bool {
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

impl SidTable {
    /// Adds an account to a `sid`, as [`SidIndex::add`](crate::SidIndex::add) does. Returns `false` if the sign-in is refused, because it is
    /// late or the `sid` was signed out.
    pub fn add(&mut self, sid: &SidKey, sid_entry: &SidEntry, now: Timestamp) -> bool {
        self.sweep(now);
        let sid_record = self.sids.entry(*sid).or_default();
        if now >= sid_entry.not_after || sid_record.refuses(sid_entry.requested_at, now) {
            return false;
        }
        let ends_at = sid_record.accounts.entry(sid_entry.account).or_default();
        *ends_at = (*ends_at).max(sid_entry.ends_at);
        true
    }

    /// Sets the not-before time of a `sid`, and returns the accounts of the `sid`, as
    /// [`SidIndex::set_sid_not_before`](crate::SidIndex::set_sid_not_before) does.
    pub fn set_sid_not_before(
        &mut self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
        now: Timestamp,
    ) -> SidAccounts {
        let sid_record = self.sids.entry(*sid).or_default();
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
        SidAccounts::at(accounts)
    }

    /// Returns whether a sign-in is accepted by the not-before time of its issuer, as
    /// [`SidIndex::check_issuer`](crate::SidIndex::check_issuer) checks it.
    pub fn admits(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
        now: Timestamp,
    ) -> bool {
        let not_before = self.issuers.get(issuer).copied().flatten();
        now < not_after && !NotBefore::refuses(not_before, requested_at, now)
    }

    /// Sets the not-before time of an issuer, as [`SidIndex::set_issuer_not_before`](crate::SidIndex::set_issuer_not_before) does.
    pub fn set_issuer_not_before(
        &mut self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
        now: Timestamp,
    ) {
        let expires_at = now + options.not_before_lifetime;
        NotBefore::raise(self.issuers.entry(*issuer).or_default(), at, expires_at);
    }

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
