use std::sync::Arc;

use super::{TokenCache, TokenCacheBuilder};
use crate::{KeyRing, MemoryStore, Result, RingKey, Secret, TokenStore};

impl TokenCache {
    /// Opens a store with a secret and the default settings.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn open(store: impl TokenStore, secret: Secret) -> Result<Self> {
        Self::builder(store).secret(secret).open().await
    }

    /// Returns a builder, to open a store with other settings.
    pub fn builder(store: impl TokenStore) -> TokenCacheBuilder {
        let store: Arc<dyn TokenStore> = Arc::new(store);
        TokenCacheBuilder::connecting(std::future::ready(Ok(store)))
    }

    /// Returns a cache of this process alone, with a random secret.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn in_memory() -> Result<Self> {
        Self::builder(MemoryStore::new())
            .secret(Secret::random()?)
            .key_ring(KeyRing::sealing_with(RingKey::of_secret()))
            .open()
            .await
    }
}
