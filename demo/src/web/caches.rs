use std::{env, sync::Arc};

use token_cache::{MemoryStore, Secret, TokenCache, store::TokenStore};

use super::random::random_text;
use crate::{
    app_cache::{Keys, MemoryKeys},
    failure::Failure,
    instrumented_store::InstrumentedStore,
    near_cache,
    store_url::{PREFIX, StoreUrl},
};

/// The environment variable with the app's secret.
const SECRET: &str = "TOKEN_CACHE_SECRET";

/// The caches of the servers on one store, one each, as in an app whose servers are machines, and the keys of the plain cache beside them.
pub(crate) struct Caches {
    pub(crate) name: String,
    pub(crate) of_servers: Vec<(TokenCache, InstrumentedStore)>,
    pub(crate) plain: Arc<dyn Keys>,
    /// The source of the secret, in a few words.
    pub(crate) secret: &'static str,
    /// `true` if the secret is a random one of this process, so that entries of earlier runs cannot be read.
    pub(crate) secret_is_own: bool,
}

impl Caches {
    pub(crate) async fn open(store: &StoreUrl, instances: u16) -> Result<Self, Failure> {
        let NearCacheParts {
            secret,
            namespace,
            in_words,
            is_own,
        } = NearCacheParts::at_hand()?;
        #[cfg(feature = "dynamodb")]
        store.make_table_of_local_engine().await?;
        let memory = MemoryStore::new();
        let mut of_servers = Vec::new();
        for _ in 0..instances {
            let store: Arc<dyn TokenStore> = match store.in_namespace(&namespace) {
                None => Arc::new(memory.clone()),
                Some(url) => token_cache::open_store(&url).await?,
            };
            of_servers.push(near_cache::open(store, secret.clone()).await?);
        }
        let name = of_servers
            .first()
            .map(|(cache, _)| cache.store().to_string());
        Ok(Self {
            name: name.unwrap_or_default(),
            of_servers,
            plain: plain(store).await?,
            secret: in_words,
            secret_is_own: is_own,
        })
    }
}

/// The secret, and the corner of the store whose secret it is.
struct NearCacheParts {
    secret: Secret,
    namespace: String,
    in_words: &'static str,
    is_own: bool,
}

impl NearCacheParts {
    fn at_hand() -> Result<Self, Failure> {
        if env::var_os(SECRET).is_some() {
            return Ok(Self {
                secret: Secret::from_env()?,
                namespace: format!("{PREFIX}-web"),
                in_words: "that of TOKEN_CACHE_SECRET",
                is_own: false,
            });
        }
        // Entries under a lost secret do no harm in a namespace of their own.
        Ok(Self {
            secret: Secret::random()?,
            namespace: format!("{PREFIX}-web-{}", random_text(6)?),
            in_words: "a random one: after this run the tokens cannot be read; set TOKEN_CACHE_SECRET for one that lasts",
            is_own: true,
        })
    }
}

#[cfg_attr(
    not(any(feature = "redis", feature = "dynamodb")),
    expect(
        clippy::unused_async,
        reason = "a store of this process is not connected to"
    )
)]
async fn plain(store: &StoreUrl) -> Result<Arc<dyn Keys>, Failure> {
    Ok(match store {
        StoreUrl::Memory => Arc::new(MemoryKeys::default()),
        #[cfg(feature = "redis")]
        StoreUrl::Redis(url) => Arc::new(crate::app_cache::RedisKeys::connect(url).await?),
        #[cfg(feature = "dynamodb")]
        StoreUrl::DynamoDb(url) => Arc::new(crate::app_cache::DynamoDbItems::connect(url).await?),
    })
}
