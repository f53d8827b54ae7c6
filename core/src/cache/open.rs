use std::sync::Arc;

use super::{TokenCache, TokenCacheBuilder};
use crate::{KeyRing, MemoryStore, Result, RingKey, Secret, TokenStore};

impl TokenCache {
    /// Opens the cache in `store`, with a secret and the default settings. The key ring is still read from the environment variable
    /// `TOKEN_CACHE_KEYS`, if that is set.
    ///
    /// # Errors
    /// As [`TokenCacheBuilder::open`].
    pub async fn open(store: impl TokenStore, secret: Secret) -> Result<Self> {
        Self::builder(store).secret(secret).open().await
    }

    /// Creates a builder, to open the cache in `store` with other settings. It sends nothing before [`TokenCacheBuilder::open`].
    pub fn builder(store: impl TokenStore) -> TokenCacheBuilder {
        let store: Arc<dyn TokenStore> = Arc::new(store);
        TokenCacheBuilder::connecting(std::future::ready(Ok(store)))
    }

    /// Opens a cache in the memory of this process, with a random secret: for tests, and for apps of one process. Everything in it is
    /// lost when the process ends. It reads no environment variable.
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
