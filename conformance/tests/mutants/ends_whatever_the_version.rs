use token_cache_conformance::async_trait;
use token_cache_core::{EntryAddress, EvictOptions, EvictTarget, Result, TokenStore, Version};

use crate::fault::Fault;

/// Ends the session of a refused refresh without a look at the version.
#[derive(Default)]
pub(crate) struct EndsWhateverTheVersion;

#[async_trait]
impl Fault for EndsWhateverTheVersion {
    async fn end_if_version(
        &self,
        healthy: &dyn TokenStore,
        at: &EntryAddress,
        _: Version,
        options: EvictOptions,
    ) -> Result<bool> {
        let target = EvictTarget::Session(*at.session_id());
        let evicted = healthy.evict(at.account(), target, options).await?;
        Ok(evicted.ended)
    }
}
