use std::{pin::Pin, sync::Arc};

use token_cache_core::{
    Error, MemoryStore, Result, Secret, TokenCache, TokenCacheBuilder, TokenStore,
};
#[cfg(feature = "near-cache")]
use token_cache_near_cache::{NearCacheConfig, NoNearCache};

/// Opens the cache in the store at `url`, with the default settings. To change a setting in code, use [`builder`].
///
/// The secret is read from the environment variable `TOKEN_CACHE_SECRET`. Only `memory:` does not need it: the secret is random there. The
/// [key ring](crate::keys::KeyRing) is read from `TOKEN_CACHE_KEYS`. If that is not set, the only key is derived from the secret.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory:` | a new store in the memory of this process; needs no secret | always available |
/// | `redis://[user:password@]host[:port][/db][?…]`, `rediss://…` | one Redis or Valkey server | `redis`, `redis-tls` |
/// | `redis+unix:///path/to/socket[?…]` | the same, over a Unix socket | `redis` |
/// | `redis+sentinel://host[:port],host[:port]/service[/db][?…]` | a primary found through Sentinel | `redis-sentinel` |
/// | `redis+cluster://host[:port],host[:port][?…]` | Redis Cluster | `redis-cluster` |
/// | `dynamodb://table[?region=…]` | a table of Amazon DynamoDB | `dynamodb` |
///
/// The case of a scheme does not matter. `valkey` and `valkeys` mean the same as `redis` and `rediss`.
///
/// The parameters of a store (`?…`) are described at [`RedisConfig`](https://docs.rs/token-cache-redis) and
/// [`DynamoDbConfig`](https://docs.rs/token-cache-dynamodb). With the feature `near-cache`, every URL also takes these two:
/// - `near_cache=60s` turns the near cache on, and sets the maximum age of its entries, from 100 ms to 60 s: see
///   [`TokenCacheBuilder::near_cache`]. Without it, the near cache is off.
/// - `lease=1s` sets how long a server may serve near-cache entries without contact to the store. The default is one second, and the range
///   is 100 ms to 30 s. It needs `near_cache`. Redis and the memory store support it, DynamoDB does not.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config), before any I/O, if the URL is malformed, or has an unknown scheme or parameter, or a value that
///   is out of its range. Also if the feature of the scheme is off (the error names the feature), and if a lease is set for DynamoDB or
///   without `near_cache`. Also if the secret is missing or has fewer than 32 bytes.
/// - The errors of [`TokenCacheBuilder::open`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// let cache = token_cache::open("memory:").await?;
/// # Ok(()) }
/// ```
pub async fn open(url: &str) -> Result<TokenCache> {
    builder(url)?.open().await
}

/// Creates a builder for a cache in the store at `url`. Use it instead of [`open`] to set the secret or other settings in code. Nothing is
/// sent to the store before [`TokenCacheBuilder::open`].
///
/// [`open`] describes the URLs. A setting of the builder overrides that of the URL.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the URL is invalid, as for [`open`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> token_cache::Result<()> {
/// let cache = token_cache::builder("memory:")?.max_sessions(5).open().await?;
/// # Ok(()) }
/// ```
pub fn builder(url: &str) -> Result<TokenCacheBuilder> {
    let url = &canonical(url);
    let builder = with_near_cache(url)?;
    // No other process can reach this store, so a random secret is enough.
    Ok(if scheme(url) == MEMORY {
        builder.secret(Secret::random()?)
    } else {
        builder
    })
}

/// Connects to the store at `url` and returns it, without a cache. Use it for tools, and to pass the store to [`TokenCache::builder`]. It
/// needs no secret, and the store does not encrypt entries by itself.
///
/// [`open`] describes the URLs.
///
/// # Errors
/// - As [`open`], except the errors about the secret.
/// - [`Config`](crate::ErrorKind::Config) if the URL has `near_cache` or `lease`, which are settings of a cache.
pub async fn open_store(url: &str) -> Result<Arc<dyn TokenStore>> {
    let url = &canonical(url);
    if has_near_cache(url) {
        return Err(refused(
            "a store alone has no near cache; leave `near_cache` and `lease` out, or open a cache at the URL",
        ));
    }
    connect(url)?.await
}

/// Returns whether the URL has a parameter of the near cache.
fn has_near_cache(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').map(|parameter| {
        let (name, _) = parameter.split_once('=').unwrap_or((parameter, ""));
        name
    });
    names.any(|name| matches!(name, "near_cache" | "lease"))
}

#[cfg(feature = "near-cache")]
fn with_near_cache(url: &str) -> Result<TokenCacheBuilder> {
    let (near_cache, store) = NearCacheConfig::from_url(url)?;
    let builder = TokenCacheBuilder::connecting(connect(&store)?);
    Ok(match near_cache {
        Some(config) if WITHOUT_BACKPLANE.contains(&scheme(url)) => {
            builder.near_cache(config.without_backplane()?)
        }
        Some(config) => builder.near_cache(config),
        None => builder.near_cache(NoNearCache),
    })
}

#[cfg(not(feature = "near-cache"))]
fn with_near_cache(url: &str) -> Result<TokenCacheBuilder> {
    if has_near_cache(url) {
        return Err(refused(
            "`near_cache` and `lease` need the feature `near-cache` of the crate `token-cache`; turn it on, or leave them out",
        ));
    }
    Ok(TokenCacheBuilder::connecting(connect(url)?))
}

type Connecting = Pin<Box<dyn Future<Output = Result<Arc<dyn TokenStore>>> + Send>>;

fn connect(url: &str) -> Result<Connecting> {
    match scheme(url) {
        MEMORY => {
            let store = memory(url)?;
            Ok(Box::pin(async { Ok(store) }))
        }
        #[cfg(feature = "redis")]
        scheme if token_cache_redis::SCHEMES.contains(&scheme) => {
            let config = token_cache_redis::RedisConfig::from_url(url)?;
            Ok(Box::pin(async move {
                let store = token_cache_redis::RedisStore::connect(config).await?;
                Ok(Arc::new(store) as Arc<dyn TokenStore>)
            }))
        }
        #[cfg(feature = "dynamodb")]
        scheme if token_cache_dynamodb::SCHEMES.contains(&scheme) => {
            let config = token_cache_dynamodb::DynamoDbConfig::from_url(url)?;
            Ok(Box::pin(async move {
                let store = token_cache_dynamodb::DynamoDbStore::connect(config).await?;
                Ok(Arc::new(store) as Arc<dyn TokenStore>)
            }))
        }
        scheme => Err(unknown(scheme)),
    }
}

const MEMORY: &str = "memory";

/// The known schemes, the features that they need, and whether those are on.
const SCHEMES: &[(&str, &str, bool)] = &[
    (MEMORY, "", true),
    ("redis", "redis", cfg!(feature = "redis")),
    ("redis+unix", "redis", cfg!(feature = "redis")),
    ("rediss", "redis-tls", cfg!(feature = "redis-tls")),
    (
        "redis+cluster",
        "redis-cluster",
        cfg!(feature = "redis-cluster"),
    ),
    (
        "rediss+cluster",
        "redis-cluster and redis-tls",
        cfg!(all(feature = "redis-cluster", feature = "redis-tls")),
    ),
    (
        "redis+sentinel",
        "redis-sentinel",
        cfg!(feature = "redis-sentinel"),
    ),
    (
        "rediss+sentinel",
        "redis-sentinel and redis-tls",
        cfg!(all(feature = "redis-sentinel", feature = "redis-tls")),
    ),
    ("dynamodb", "dynamodb", cfg!(feature = "dynamodb")),
];

#[cfg(feature = "near-cache")]
/// The schemes of stores without a backplane, so that near caches there have no lease.
const WITHOUT_BACKPLANE: &[&str] = &["dynamodb"];

fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// Returns a URL with its scheme as [`SCHEMES`] has it: in lower case, and `redis` for `valkey`.
fn canonical(url: &str) -> String {
    let (scheme, rest) = url.split_at(scheme(url).len());
    let lower = scheme.to_ascii_lowercase();
    let (base, kind) = lower.split_at(lower.find('+').unwrap_or(lower.len()));
    match base {
        "valkey" => format!("redis{kind}{rest}"),
        "valkeys" => format!("rediss{kind}{rest}"),
        _ => format!("{lower}{rest}"),
    }
}

fn memory(url: &str) -> Result<Arc<dyn TokenStore>> {
    match url
        .strip_prefix("memory:")
        .map(|rest| rest.trim_start_matches("//"))
    {
        Some("") => Ok(Arc::new(MemoryStore::new())),
        _ => Err(refused(
            "the memory store takes no address and no parameters; write `memory:`",
        )),
    }
}

/// The URL itself is not in the error, because it may contain a password.
fn unknown(scheme: &str) -> Error {
    if let Some((_, features, false)) = SCHEMES.iter().find(|(known, ..)| *known == scheme) {
        return refused(&format!(
            "the scheme `{scheme}` needs the feature {features} of token-cache; \
             add it: `cargo add token-cache --features {}`",
            features.replace(" and ", ","),
        ));
    }
    let compiled_in: Vec<&str> = SCHEMES
        .iter()
        .filter(|(_, _, on)| *on)
        .map(|(scheme, ..)| *scheme)
        .collect();
    let missing: Vec<String> = SCHEMES
        .iter()
        .filter(|(_, features, on)| !on && !features.contains(' '))
        .map(|(scheme, feature, _)| format!("`{scheme}` needs the feature {feature}"))
        .collect();
    // Text that cannot be a scheme may be a part of a password.
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let what = if !scheme.is_empty() && scheme.len() <= 32 && scheme.bytes().all(valid) {
        format!("unknown scheme `{scheme}` in the store URL")
    } else {
        "the store URL has no scheme, such as `redis://`".to_owned()
    };
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!("; {}", missing.join(", "))
    };
    refused(&format!(
        "{what}; this build supports {}{missing}",
        compiled_in.join(", ")
    ))
}

fn refused(message: &str) -> Error {
    Error::config("open the store's URL", message)
}

#[cfg(test)]
mod tests {
    use token_cache_core::ErrorKind;

    use super::*;

    async fn error(url: &str) -> Error {
        match open_store(url).await {
            Ok(store) => panic!("{url} opened {store}"),
            Err(error) => error,
        }
    }

    #[tokio::test]
    async fn the_memory_store_opens_without_a_secret() {
        let cache = open("memory:").await.unwrap();
        assert_eq!(cache.store().to_string(), "memory");
        assert!(cache.near_cache().is_none());
        assert!(open("memory://").await.is_ok());
    }

    #[cfg(not(feature = "near-cache"))]
    #[tokio::test]
    async fn a_near_cache_needs_its_feature() {
        for url in ["memory:?near_cache=30s", "memory:?lease=1s"] {
            let refused = builder(url).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Config);
            assert!(
                refused.to_string().contains("feature `near-cache`"),
                "{refused}"
            );
            assert!(error(url).await.to_string().contains("open a cache"));
        }
    }

    #[cfg(feature = "near-cache")]
    #[tokio::test]
    async fn near_caches_are_one_parameter_of_any_url() {
        let cache = open("memory:?near_cache=30s&lease=2s").await.unwrap();
        assert!(cache.near_cache().is_some());
        let error = error("memory:?near_cache=30s").await.to_string();
        assert!(error.contains("open a cache"), "{error}");
        let refused = builder("memory:?near_cache=soon").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
    }

    #[cfg(all(feature = "dynamodb", feature = "near-cache"))]
    #[test]
    fn a_lease_that_nobody_can_renew_is_refused_before_any_request() {
        assert!(builder("dynamodb://tokens?near_cache=5s").is_ok());
        let refused = builder("dynamodb://tokens?near_cache=5s&lease=1s").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(
            refused.to_string().contains("leave the lease out"),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn what_is_no_url_of_ours_is_refused_before_any_request() {
        for url in [
            "",
            "redis",
            "http://cache.internal",
            "memory:here",
            "://",
            ":",
            "REDIS:\0",
        ] {
            let error = error(url).await;
            assert_eq!(error.kind(), ErrorKind::Config, "{url:?}: {error}");
        }
    }

    #[tokio::test]
    async fn an_unknown_scheme_is_quoted_with_those_there_are() {
        let error = error("mysql://user:hunter2@db").await.to_string();
        assert!(error.contains("unknown scheme `mysql`"), "{error}");
        assert!(error.contains("supports memory"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        for (scheme, feature, on) in SCHEMES {
            assert!(
                *on || feature.contains(' ') || error.contains(scheme),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_scheme_is_known_by_its_other_names() {
        assert!(open("MEMORY:").await.is_ok());
        for (url, same) in [
            ("valkey://a/1?x=Y", "redis://a/1?x=Y"),
            ("Valkeys+Cluster://A", "rediss+cluster://A"),
            ("DynamoDB://Table", "dynamodb://Table"),
            ("hunter", "hunter"),
        ] {
            assert_eq!(canonical(url), same);
        }
    }

    #[tokio::test]
    async fn a_scheme_whose_feature_is_off_names_the_feature() {
        for (scheme, features, on) in SCHEMES {
            if !on {
                let error = error(&format!("{scheme}://user:hunter2@cache.internal"))
                    .await
                    .to_string();
                assert!(error.contains(features), "{scheme}: {error}");
                assert!(!error.contains("hunter2"), "{scheme}: {error}");
            }
        }
    }

    #[cfg(any(feature = "redis", feature = "dynamodb"))]
    #[test]
    fn the_backends_and_the_facade_know_the_same_schemes() {
        let backends: &[&[&str]] = &[
            #[cfg(feature = "redis")]
            token_cache_redis::SCHEMES,
            #[cfg(feature = "dynamodb")]
            token_cache_dynamodb::SCHEMES,
        ];
        let backends = backends.concat();
        for (scheme, _, on) in SCHEMES {
            if *scheme != MEMORY {
                assert_eq!(backends.contains(scheme), *on, "{scheme}");
            }
        }
        let known = |scheme: &&str| SCHEMES.iter().any(|(known, ..)| known == scheme);
        assert!(backends.iter().all(known), "{backends:?}");
    }
}
