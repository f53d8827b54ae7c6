use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use token_cache::{MemoryStore, Secret, store::TokenStore};

use crate::{
    failure::Failure,
    plain_cache,
    steps::{AppCache, PlainCache, WithTokenCache},
    store_url::{PREFIX, StoreUrl},
};

/// The lifetime of the story's sessions.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

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

/// Opens token-cache for each of several servers on one store, as in an app whose servers are machines.
pub(crate) async fn open(
    store: &StoreUrl,
    namespace: &str,
    secret: &Secret,
    lifetime: Duration,
    servers: u16,
) -> Result<Vec<WithTokenCache>, Failure> {
    let memory = MemoryStore::new();
    let mut opened = Vec::new();
    for _ in 0..servers {
        let store: Arc<dyn TokenStore> = match store.in_namespace(namespace) {
            None => Arc::new(memory.clone()),
            Some(url) => token_cache::open_store(&url).await?,
        };
        opened.push(WithTokenCache::open(store, secret.clone(), lifetime).await?);
    }
    Ok(opened)
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
        let opened = Self::on(&StoreUrl::Memory, 3).await?;
        opened
            .try_into()
            .map_err(|_| Failure::new("there are not three servers"))
    }

    /// Those of one server in a process of its own.
    pub(crate) async fn open(store: &StoreUrl) -> Result<Self, Failure> {
        let opened = Self::on(store, 1).await?.pop();
        opened.ok_or_else(|| Failure::new("there is no server"))
    }

    async fn on(store: &StoreUrl, servers: u16) -> Result<Vec<Self>, Failure> {
        // Servers that share a namespace share a secret, and so do all runs on one server. It guards made-up tokens.
        let secret = Secret::new(*b"the secret of the token-cache demo, known to all")?;
        let plain_cache: Arc<dyn AppCache> = Arc::new(PlainCache(plain_cache::open(store).await?));
        let opened = open(store, PREFIX, &secret, LIFETIME, servers).await?;
        let both = |cache| Self {
            token_cache: Arc::new(cache),
            plain_cache: Arc::clone(&plain_cache),
        };
        Ok(opened.into_iter().map(both).collect())
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

impl fmt::Debug for ServerCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCaches").finish_non_exhaustive()
    }
}

/// Returns an unguessable text of this many random bytes: letters, digits, `-` and `_`.
pub(crate) fn random_text(bytes: usize) -> Result<String, Failure> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(format!("the system gives no random bytes: {error}")))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}
