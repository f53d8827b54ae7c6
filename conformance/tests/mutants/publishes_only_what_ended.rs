use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, EvictOptions, EvictTarget, Evicted, Invalidation, InvalidationId, Published,
    Result, TokenStore,
};

use crate::{broken_backplane::backplane_of, fault::Fault};

/// Publishes a sign-out only if it ended a session.
#[derive(Default)]
pub(crate) struct PublishesOnlyWhatEnded;

#[async_trait]
impl Fault for PublishesOnlyWhatEnded {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        let origin = options.publish.take();
        let evicted = healthy.evict(account, target, options).await?;
        if origin.is_none() {
            return Ok(evicted);
        }
        let published = if evicted.ended {
            let what = Invalidation::Accounts(vec![*account]);
            backplane_of(healthy)?.publish(origin, what).await?
        } else {
            Published {
                id: InvalidationId::mint()?,
                registry: None,
                holders: Vec::new(),
            }
        };
        Ok(evicted.published(published))
    }
}
