use token_cache_conformance::async_trait;
use token_cache_core::{NamespaceRecord, Result, TokenStore};

use crate::fault::Fault;

/// Writes the namespace's record without a look at what is there.
#[derive(Default)]
pub(crate) struct TakesAnyRecord;

#[async_trait]
impl Fault for TakesAnyRecord {
    async fn set_namespace(
        &self,
        healthy: &dyn TokenStore,
        _: Option<&NamespaceRecord>,
        record: &NamespaceRecord,
    ) -> Result<bool> {
        let there = healthy.namespace().await?.record;
        healthy.set_namespace(there.as_ref(), record).await
    }
}
