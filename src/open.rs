use std::sync::Arc;

use token_cache_core::{Error, MemoryStore, Result, Secret, TokenCache, TokenCacheBuilder, TokenStore};

/// Opens the cache at a URL, with the secret of the variable `TOKEN_CACHE_SECRET`.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory:` | this process; needs no secret | always there |
/// | `redis://[user:password@]host[:port][/db][?…]`, `rediss://…` | one Redis or Valkey server | `redis`, `redis-tls` |
/// | `redis+unix:///path/to/socket[?…]` | the same, by a Unix socket | `redis` |
/// | `redis+sentinel://host[:port],host[:port]/service[/db][?…]` | a primary found through Sentinel | `redis-sentinel` |
/// | `redis+cluster://host[:port],host[:port][?…]` | Redis Cluster | `redis-cluster` |
///
/// The parameters are those of [`RedisConfig`](https://docs.rs/token-cache-redis).
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), before any I/O, for a malformed URL, an unknown scheme or parameter, a scheme whose
/// feature is off (the error names it), a missing or short secret; then as [`TokenCacheBuilder::open`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// let cache = token_cache::open("memory:").await?;
/// # Ok(()) }
/// ```
pub async fn open(url: &str) -> Result<TokenCache> {
    builder(url).await?.open().await
}

/// As [`open`], with settings of one's own: the builder of the cache at a URL.
///
/// # Errors
/// As [`open`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// let cache = token_cache::builder("memory:").await?.max_sessions(5).open().await?;
/// # Ok(()) }
/// ```
pub async fn builder(url: &str) -> Result<TokenCacheBuilder> {
    let store = store(url).await?;
    let builder = TokenCache::builder(store);
    // Nobody else can reach a store of this process, so a secret of its own does.
    Ok(if scheme(url) == MEMORY { builder.secret(Secret::random()?) } else { builder })
}

/// Connects to the store at a URL: what [`open`] opens a cache on.
///
/// # Errors
/// As [`open`].
pub async fn store(url: &str) -> Result<Arc<dyn TokenStore>> {
    match scheme(url) {
        MEMORY => memory(url),
        #[cfg(feature = "redis")]
        scheme if token_cache_redis::SCHEMES.contains(&scheme) => {
            let config = token_cache_redis::RedisConfig::from_url(url)?;
            Ok(Arc::new(token_cache_redis::RedisStore::connect(config).await?))
        }
        scheme => Err(unknown(scheme)),
    }
}

const MEMORY: &str = "memory";

/// The schemes there are, and the features that bring them; whether a feature is on.
const SCHEMES: &[(&str, &str, bool)] = &[
    (MEMORY, "", true),
    ("redis", "redis", cfg!(feature = "redis")),
    ("redis+unix", "redis", cfg!(feature = "redis")),
    ("rediss", "redis-tls", cfg!(feature = "redis-tls")),
    ("redis+cluster", "redis-cluster", cfg!(feature = "redis-cluster")),
    ("rediss+cluster", "redis-cluster, redis-tls", cfg!(feature = "redis-cluster")),
    ("redis+sentinel", "redis-sentinel", cfg!(feature = "redis-sentinel")),
    ("rediss+sentinel", "redis-sentinel, redis-tls", cfg!(feature = "redis-sentinel")),
];
