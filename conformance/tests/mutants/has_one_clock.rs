use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, Moment, Result, TokenStore};

use crate::fault::Fault;

/// Takes the provider's moments for its own.
#[derive(Default)]
pub(crate) struct HasOneClock;

#[async_trait]
impl Fault for HasOneClock {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let cut = match cut {
            Cut::Account(moment) => Cut::Account(Moment::of_store(moment.at)),
            other => other,
        };
        healthy.evict(account, cut, options).await
    }
}
