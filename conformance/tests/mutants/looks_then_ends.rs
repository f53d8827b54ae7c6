use token_cache_conformance::async_trait;
use token_cache_core::{
    EntryAddress, EvictOptions, EvictTarget, ReadOptions, Result, TokenStore, Version,
};

use crate::fault::Fault;

/// Looks at the version in a step of its own, before it ends the session of a refused refresh.
#[derive(Default)]
pub(crate) struct LooksThenEnds;

#[async_trait]
impl Fault for LooksThenEnds {
    async fn end_if_version(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        version: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let there = healthy.read(at, ReadOptions::at(options.now)).await?;
        if there.map(|entry| entry.version()) != Some(version) {
            return Ok(false);
        }
        tokio::task::yield_now().await;
        let target = EvictTarget::Session(*at.session_id());
        Ok(healthy.evict(at.account(), target, options).await?.ended)
    }
}
