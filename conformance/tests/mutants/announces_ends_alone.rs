use token_cache_conformance::async_trait;
use token_cache_core::{
    AccountKey, Announced, AnnouncementId, EvictOptions, EvictTarget, Evicted, Invalidation,
    Result, TokenStore,
};

use crate::{broken_link::link_of, fault::Fault};

/// Announces a sign-out only if it ended a session.
#[derive(Default)]
pub(crate) struct AnnouncesEndsAlone;

#[async_trait]
impl Fault for AnnouncesEndsAlone {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        target: EvictTarget,
        mut options: EvictOptions,
    ) -> Result<Evicted> {
        let signer = options.announce.take();
        let evicted = healthy.evict(account, target, options).await?;
        if signer.is_none() {
            return Ok(evicted);
        }
        let announced = if evicted.ended {
            let what = Invalidation::Accounts(vec![*account]);
            link_of(healthy)?.announce(signer, what).await?
        } else {
            Announced {
                id: AnnouncementId::mint()?,
                registry: None,
                holders: Vec::new(),
            }
        };
        Ok(evicted.announced(announced))
    }
}
