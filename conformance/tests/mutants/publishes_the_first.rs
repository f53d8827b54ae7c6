use token_cache_conformance::async_trait;
use token_cache_core::{Backplane, Invalidation, Published, Result, ServerId};

use crate::fault::Fault;

/// Publishes the first of several accounts.
#[derive(Default)]
pub(crate) struct PublishesTheFirst;

#[async_trait]
impl Fault for PublishesTheFirst {
    async fn publish(
        &self,
        healthy: &dyn Backplane,
        origin: Option<ServerId>,
        mut what: Invalidation,
    ) -> Result<Published> {
        if let Invalidation::Accounts(accounts) = &mut what {
            accounts.truncate(1);
        }
        healthy.publish(origin, what).await
    }
}
