use token_cache_conformance::async_trait;
use token_cache_core::{Backplane, Invalidation, Published, Result, ServerId};

use crate::fault::Fault;

/// Gives the first server in its registry the number one, the next the number two.
#[derive(Default)]
pub(crate) struct CountsFromOne;

#[async_trait]
impl Fault for CountsFromOne {
    async fn publish(
        &self,
        healthy: &dyn Backplane,
        origin: Option<ServerId>,
        what: Invalidation,
    ) -> Result<Published> {
        let mut published = healthy.publish(origin, what).await?;
        for (holder, number) in published.holders.iter_mut().zip(1..) {
            holder.renewal = number;
        }
        Ok(published)
    }
}
