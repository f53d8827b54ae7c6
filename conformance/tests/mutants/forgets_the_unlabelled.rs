use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, Result, TokenStore};

use crate::fault::Fault;

/// Leaves no marker for the unlabelled.
#[derive(Default)]
pub(crate) struct ForgetsTheUnlabelled;

#[async_trait]
impl Fault for ForgetsTheUnlabelled {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        if matches!(cut, Cut::ProviderSessionOrUnlabelled { .. }) {
            options.marker_life = Duration::ZERO;
        }
        healthy.evict(account, cut, options).await
    }
}
