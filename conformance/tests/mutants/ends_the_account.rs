use token_cache_conformance::async_trait;
use token_cache_core::{
    CutoffTime, EntryAddress, EvictOptions, EvictTarget, Result, TokenStore, Version,
};

use crate::fault::Fault;

/// Ends all sessions of the account with the one whose refresh was refused.
#[derive(Default)]
pub(crate) struct EndsTheAccount;

#[async_trait]
impl Fault for EndsTheAccount {
    async fn end_if_version(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let locks = healthy;
        let ended = locks.end_if_version(at, version, options).await?;
        if ended {
            let target = EvictTarget::Account(CutoffTime::on_store_clock(options.now));
            healthy.evict(at.account(), target, options).await?;
        }
        Ok(ended)
    }
}
