use token_cache_conformance::async_trait;
use token_cache_core::{Announced, Invalidation, Link, Result, ServerId};

use crate::fault::Fault;

/// Announces the first of several accounts.
#[derive(Default)]
pub(crate) struct AnnouncesTheFirst;

#[async_trait]
impl Fault for AnnouncesTheFirst {
    async fn announce(
        &self,
        healthy: &dyn Link,
        signer: Option<ServerId>,
        mut what: Invalidation,
    ) -> Result<Announced> {
        if let Invalidation::Accounts(accounts) = &mut what {
            accounts.truncate(1);
        }
        healthy.announce(signer, what).await
    }
}
