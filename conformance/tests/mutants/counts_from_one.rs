use token_cache_conformance::async_trait;
use token_cache_core::{Announced, Invalidation, Link, Result, ServerId};

use crate::fault::Fault;

/// Gives the first server in its registry the number one, the next the number two.
#[derive(Default)]
pub(crate) struct CountsFromOne;

#[async_trait]
impl Fault for CountsFromOne {
    async fn announce(
        &self,
        healthy: &dyn Link,
        signer: Option<ServerId>,
        what: Invalidation,
    ) -> Result<Announced> {
        let mut announced = healthy.announce(signer, what).await?;
        for (holder, number) in announced.holders.iter_mut().zip(1..) {
            holder.renewal = number;
        }
        Ok(announced)
    }
}
