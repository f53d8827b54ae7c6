use std::time::Duration;

use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, Moment, Result, TokenStore};

use crate::fault::Fault;

/// Takes a session of the sign-out's own moment for a newer one.
#[derive(Default)]
pub(crate) struct SparesEqualMoments;

#[async_trait]
impl Fault for SparesEqualMoments {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let cut = match cut {
            Cut::Account(Moment { clock, at }) => Cut::Account(Moment {
                clock,
                at: at - Duration::from_millis(1),
            }),
            other => other,
        };
        healthy.evict(account, cut, options).await
    }
}
