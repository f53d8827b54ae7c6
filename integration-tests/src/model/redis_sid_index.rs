//! What goes across accounts, in keys of their own: one call, one step.

use async_trait::async_trait;
use token_cache_core::{
    AccountKey, Cut, Error, EvictOptions, Evicted, IssuerKey, MarkOptions, Marking, Moment, Page,
    Pointed, Pointer, Result, Scan, SidIndex, SidKey, Timestamp, Until,
};

use super::{redis_like::RedisLike, rules};

#[async_trait]
impl SidIndex for RedisLike {
    async fn point(&self, sid: &SidKey, pointer: Pointer) -> Result<()> {
        if !self.sid_index {
            return Ok(());
        }
        rules::point(&self.world, self.bent, *sid, pointer, true)
            .await?
            .map(|_late| ())
            .map_err(Error::from)
    }

    async fn cut_provider_session(
        &self,
        sid: &SidKey,
        until: Until,
        options: MarkOptions,
    ) -> Result<Pointed> {
        if !self.sid_index {
            return Ok(Pointed::at(Vec::new()));
        }
        rules::cut_provider_session(&self.world, self.bent, *sid, until, options).await
    }

    async fn check_issuer(
        &self,
        issuer: &IssuerKey,
        requested_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<()> {
        rules::check_issuer(&self.world, self.bent, *issuer, requested_at, not_after).await
    }

    async fn cut_issuer(
        &self,
        issuer: &IssuerKey,
        at: Timestamp,
        options: MarkOptions,
    ) -> Result<()> {
        rules::cut_issuer(&self.world, self.bent, *issuer, at, options.marker_life).await
    }

    async fn accounts(&self, scan: &Scan) -> Result<Page> {
        rules::accounts(&self.world, scan).await
    }

    async fn evict_accounts(
        &self,
        accounts: &[AccountKey],
        at: Timestamp,
        marking: Marking,
        options: EvictOptions,
    ) -> Vec<Result<Evicted>> {
        let mut evicted = Vec::new();
        for account in accounts {
            let cut = Cut::Account(Moment::of_store(at));
            let marks = marking == Marking::Each;
            evicted.push(self.cut(*account, cut, options, marks).await);
        }
        evicted
    }
}
