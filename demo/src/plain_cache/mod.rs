//! A cache as it usually is: `SET`, `GET` and `DEL`.

#[cfg(feature = "dynamodb")]
mod dynamodb_items;
#[cfg(feature = "redis")]
mod redis_keys;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{failure::Denied, store_url::StoreUrl};

/// The operations of a plain cache.
#[async_trait]
pub(crate) trait Keys: Send + Sync {
    fn name(&self) -> &'static str;
    async fn set(&self, key: &str, value: String) -> Result<(), Denied>;
    async fn get(&self, key: &str) -> Result<Option<String>, Denied>;
    async fn del(&self, key: &str) -> Result<(), Denied>;
}

/// Opens a plain cache beside token-cache: in a map, on its Redis server, or in its table of DynamoDB.
#[cfg_attr(
    not(any(feature = "redis", feature = "dynamodb")),
    expect(
        clippy::unused_async,
        reason = "a store of this process is not connected to"
    )
)]
pub(crate) async fn open(store: &StoreUrl) -> Result<Arc<dyn Keys>, Denied> {
    Ok(match store {
        StoreUrl::Memory => Arc::new(MemoryKeys::default()),
        #[cfg(feature = "redis")]
        StoreUrl::Redis(url) => Arc::new(redis_keys::RedisKeys::connect(url).await?),
        #[cfg(feature = "dynamodb")]
        StoreUrl::DynamoDb(url) => Arc::new(dynamodb_items::DynamoDbItems::connect(url).await?),
    })
}

/// A map that the servers of one process share.
#[derive(Default)]
struct MemoryKeys(Mutex<HashMap<String, String>>);

impl MemoryKeys {
    fn map(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Keys for MemoryKeys {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn set(&self, key: &str, value: String) -> Result<(), Denied> {
        self.map().insert(key.to_owned(), value);
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Denied> {
        Ok(self.map().get(key).cloned())
    }

    async fn del(&self, key: &str) -> Result<(), Denied> {
        self.map().remove(key);
        Ok(())
    }
}
