use token_cache_conformance::async_trait;
use token_cache_core::{Cut, EntryAddress, EvictOptions, Moment, Result, TokenStore, Version};

use crate::fault::{Fault, locks_of};

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
        let locks = locks_of(healthy)?;
        let ended = locks.end_if_version(at, version, options).await?;
        if ended {
            let cut = Cut::Account(Moment::of_store(options.now));
            healthy.evict(at.account(), cut, options).await?;
        }
        Ok(ended)
    }
}
