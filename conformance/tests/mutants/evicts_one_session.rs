use token_cache_conformance::async_trait;
use token_cache_core::{AccountKey, Cut, EvictOptions, Evicted, ReadOptions, Result, TokenStore};

use crate::fault::Fault;

/// Ends the first session that it finds of those a sign-out is about.
#[derive(Default)]
pub(crate) struct EvictsOneSession;

#[async_trait]
impl Fault for EvictsOneSession {
    async fn evict(
        &self,
        healthy: &dyn TokenStore,
        account: &AccountKey,
        cut: Cut,
        options: EvictOptions,
    ) -> Result<Evicted> {
        let sessions = healthy
            .sessions(account, ReadOptions::at(options.now))
            .await?;
        let first = sessions
            .iter()
            .find(|record| cut.ends(&record.session_id, record.label.as_ref(), &record.places));
        match first {
            Some(record) => {
                healthy
                    .evict(account, Cut::Session(record.session_id), options)
                    .await
            }
            None => healthy.evict(account, cut, options).await,
        }
    }
}
