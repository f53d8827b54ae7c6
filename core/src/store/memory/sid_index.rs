use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    AccountCursor, AccountKey, AccountListOptions, AccountPage, CutoffBound, Error, EvictOptions,
    Evicted, IssuerKey, NotBeforeOptions, NotBeforeScope, Result, SidAccounts, SidEntry, SidIndex,
    SidKey, Timestamp, backend::evict_each,
};

#[async_trait]
impl SidIndex for MemoryStore {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        let now = self.0.clock.now();
        if self.sids().add(sid, &sid_entry, now) {
            return Ok(());
        }
        Err(signed_out("enter a `sid`"))
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        let now = self.0.clock.now();
        Ok(self.sids().set_sid_not_before(sid, bound, options, now))
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        let now = self.0.clock.now();
        if self.sids().admits(issuer, requested_at, not_after, now) {
            return Ok(());
        }
        Err(signed_out("check the issuer"))
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        let now = self.0.clock.now();
        self.sids().set_issuer_not_before(issuer, at, options, now);
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
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        evict_each(self, accounts, at, not_before, options).await
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
