//! Data across accounts, each under a key of its own. Every call is one step.

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, AccountListOptions, AccountPage, CutoffBound, CutoffTime, Error, EvictOptions,
    EvictTarget, Evicted, IssuerKey, NotBeforeOptions, NotBeforeScope, Result, SidAccounts,
    SidEntry, SidIndex, SidKey, Timestamp,
};

use super::{redis_like::RedisLike, rules};

#[async_trait]
impl SidIndex for RedisLike {
    async fn add(&self, sid: &SidKey, sid_entry: SidEntry) -> Result<()> {
        rules::add(&self.world, self.bent, *sid, sid_entry, true)
            .await?
            .map(|_late| ())
            .map_err(Error::from)
    }

    async fn set_sid_not_before(
        &self,
        sid: &SidKey,
        bound: CutoffBound,
        options: NotBeforeOptions,
    ) -> Result<SidAccounts> {
        rules::set_sid_not_before(&self.world, self.bent, *sid, bound, options).await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        rules::check_issuer(&self.world, self.bent, *issuer, requested_at, not_after).await
    }

    async fn set_issuer_not_before(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: NotBeforeOptions,
    ) -> Result<()> {
        rules::set_issuer_not_before(
            &self.world,
            self.bent,
            *issuer,
            at,
            options.not_before_lifetime,
        )
        .await
    }

    async fn accounts(&self, scan: &AccountListOptions) -> Result<AccountPage> {
        rules::accounts(&self.world, scan).await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        not_before: NotBeforeScope,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let mut evicted = Vec::new();
        for account in accounts {
            let target = EvictTarget::Account(CutoffTime::on_store_clock(at));
            let sets_not_before = not_before == NotBeforeScope::Account;
            evicted.push(
                self.evict_target(*account, target, options, sets_not_before)
                    .await,
            );
        }
        evicted
    }
}
