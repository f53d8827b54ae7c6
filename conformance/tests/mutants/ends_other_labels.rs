use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, Cut, EvictOptions, Evicted, Moment, Result, Timestamp, TokenStore,
};

use crate::fault::Fault;

/// Takes a provider's session for the account.
#[derive(Default)]
pub(crate) struct EndsOtherLabels;

#[async_trait]
impl Fault for EndsOtherLabels {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        options: EvictOptions,
    ) -> Result<Evicted> {
        match cut {
            Cut::ProviderSession { .. } => {
                let everything = Cut::Account(Moment::of_store(Timestamp::MAX));
                let mut unmarked = options;
                unmarked.marker_life = Duration::ZERO;
                healthy.evict(account, everything, unmarked).await
            }
            other => healthy.evict(account, other, options).await,
        }
    }
}
