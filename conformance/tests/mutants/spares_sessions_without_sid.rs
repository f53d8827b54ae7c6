use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, CutoffBound, EvictOptions, EvictTarget, Evicted, Result, TokenStore,
};

use crate::fault::Fault;

/// Ends only the sessions with the `sid` if subject and `sid` are named.
#[derive(Default)]
pub(crate) struct SparesSessionsWithoutSid;

#[async_trait]
impl Fault for SparesSessionsWithoutSid {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let target = match target {
            EvictTarget::SidOrWithoutSid { sid, .. } => EvictTarget::Sid {
                sid,
                bound: CutoffBound::Forever,
            },
            other => other,
        };
        healthy.evict(account, target, options).await
    }
}
