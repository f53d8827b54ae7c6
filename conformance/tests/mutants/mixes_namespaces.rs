use std::sync::Arc;

use token_cache_conformance::{Breakable, Harness, NoStore, async_trait};
use token_cache_core::{MemoryStore, TokenStore};

/// Stores all namespaces as one: a prefix that is forgotten.
#[derive(Default)]
pub(crate) struct MixesNamespaces(MemoryStore);

#[async_trait]
impl Harness for MixesNamespaces {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn open(&self, _: &str) -> Result<Arc<dyn TokenStore>, NoStore> {
        Ok(Arc::new(self.0.clone()))
    }

    async fn open_breakable(&self, namespace: &str) -> Result<Breakable, NoStore> {
        Ok(Breakable::in_process(self.open(namespace).await?))
    }
}
