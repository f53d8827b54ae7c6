use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, Result, TokenStore, Until};

use crate::fault::Fault;

/// Ends the labelled sessions alone where subject and `sid` are named.
#[derive(Default)]
pub(crate) struct SparesTheUnlabelled;

#[async_trait]
impl Fault for SparesTheUnlabelled {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let cut = match cut {
            Cut::ProviderSessionOrUnlabelled { sid, .. } => Cut::ProviderSession {
                sid,
                until: Until::ForGood,
            },
            other => other,
        };
        healthy.evict(account, cut, options).await
    }
}
