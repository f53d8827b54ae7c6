use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use token_cache::{MemoryStore, Secret};

use crate::{
    app_cache::{AppCache, PlainCache, WithTokenCache},
    failure::Failure,
    store_url::StoreUrl,
};

/// One of the two kinds of cache that the story compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a comparison has two sides")]
pub enum CacheKind {
    /// token-cache.
    TokenCache,
    /// A plain shared cache: `SET`, `GET`, `DEL`.
    PlainCache,
}

/// The two caches of one app server.
#[derive(Clone)]
pub struct ServerCaches {
    token_cache: Arc<dyn AppCache>,
    plain_cache: Arc<dyn AppCache>,
}

impl ServerCaches {
    /// Those of three servers that share one memory store, and one map.
    ///
    /// # Errors
    /// Those of [`TokenCacheBuilder::open`](token_cache::TokenCacheBuilder::open).
    pub async fn in_memory() -> Result<[Self; 3], Failure> {
        let (store, secret) = (MemoryStore::new(), secret()?);
        let plain_cache: Arc<dyn AppCache> = Arc::new(PlainCache::in_memory());
        let server = async || -> Result<Self, Failure> {
            let cache = WithTokenCache::open(Arc::new(store.clone()), secret.clone()).await?;
            Ok(Self {
                token_cache: Arc::new(cache),
                plain_cache: Arc::clone(&plain_cache),
            })
        };
        Ok([server().await?, server().await?, server().await?])
    }

    /// Those of one server in a process of its own.
    pub(crate) async fn open(store: &StoreUrl) -> Result<Self, Failure> {
        match store {
            StoreUrl::Memory => {
                let [alone, ..] = Self::in_memory().await?;
                Ok(alone)
            }
            #[cfg(feature = "redis")]
            StoreUrl::Redis(url) => Self::beside(url, PlainCache::on_redis(url).await?).await,
            #[cfg(feature = "dynamodb")]
            StoreUrl::DynamoDb(url) => Self::beside(url, PlainCache::on_dynamodb(url).await?).await,
        }
    }

    /// token-cache at the URL, beside a plain cache on the same server.
    #[cfg(any(feature = "redis", feature = "dynamodb"))]
    async fn beside(url: &str, plain_cache: impl AppCache + 'static) -> Result<Self, Failure> {
        let store = token_cache::open_store(&StoreUrl::with_prefix(url)).await?;
        Ok(Self {
            token_cache: Arc::new(WithTokenCache::open(store, secret()?).await?),
            plain_cache: Arc::new(plain_cache),
        })
    }

    /// Replaces the other cache by the one of this kind, so that a test shows that the demo then proves nothing.
    pub fn both_of(self, kind: CacheKind) -> Self {
        let one = self.cache(kind);
        Self {
            token_cache: Arc::clone(&one),
            plain_cache: one,
        }
    }

    /// Others in the place of token-cache.
    #[cfg(test)]
    pub(crate) fn with_token_cache(
        self,
        other: impl FnOnce(Arc<dyn AppCache>) -> Arc<dyn AppCache>,
    ) -> Self {
        Self {
            token_cache: other(self.token_cache),
            plain_cache: self.plain_cache,
        }
    }

    pub(crate) fn cache(&self, kind: CacheKind) -> Arc<dyn AppCache> {
        Arc::clone(match kind {
            CacheKind::TokenCache => &self.token_cache,
            CacheKind::PlainCache => &self.plain_cache,
        })
    }

    pub(crate) fn store(&self) -> String {
        self.token_cache.store()
    }
}

/// Servers that share a namespace share a secret, and so do all runs on one server. It guards made-up tokens.
fn secret() -> Result<Secret, token_cache::Error> {
    Secret::new(*b"the secret of the token-cache demo, known to all")
}

impl fmt::Debug for ServerCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCaches").finish_non_exhaustive()
    }
}
