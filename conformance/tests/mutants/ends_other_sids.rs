use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, CutoffTime, EvictOptions, EvictTarget, Evicted, Result, Timestamp, TokenStore,
};

use crate::fault::Fault;

/// Takes a provider's session for the account.
#[derive(Default)]
pub(crate) struct EndsOtherSids;

#[async_trait]
impl Fault for EndsOtherSids {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        match target {
            EvictTarget::Sid { .. } => {
                let everything = EvictTarget::Account(CutoffTime::on_store_clock(Timestamp::MAX));
                let mut without_not_before = options;
                without_not_before.not_before_lifetime = Duration::ZERO;
                healthy.evict(account, everything, without_not_before).await
            }
            other => healthy.evict(account, other, options).await,
        }
    }
}
