#[cfg(feature = "dynamodb")]
mod dynamodb_items;
#[cfg(feature = "redis")]
mod redis_keys;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

#[cfg(feature = "dynamodb")]
pub(crate) use self::dynamodb_items::DynamoDbItems;
#[cfg(feature = "redis")]
pub(crate) use self::redis_keys::RedisKeys;
use super::{AppCache, Cookie, Denied};
use crate::{
    provider::{Grant, TokenRequest, Tokens},
    token_endpoint::TokenEndpoint,
};

/// What a plain cache offers.
#[async_trait]
pub(crate) trait Keys: Send + Sync {
    fn name(&self) -> &'static str;
    async fn set(&self, key: &str, value: String) -> Result<(), Denied>;
    async fn get(&self, key: &str) -> Result<Option<String>, Denied>;
    async fn del(&self, key: &str) -> Result<(), Denied>;
}

/// How an app uses a plain cache: the user's tokens under the user's name.
pub(crate) struct PlainCache<K>(K);

impl PlainCache<MemoryKeys> {
    /// A plain cache of this process.
    pub(crate) fn in_memory() -> Self {
        Self(MemoryKeys::default())
    }
}

#[cfg(feature = "redis")]
impl PlainCache<RedisKeys> {
    /// A plain cache on a Redis server.
    pub(crate) async fn on_redis(url: &str) -> Result<Self, Denied> {
        Ok(Self(RedisKeys::connect(url).await?))
    }
}

#[cfg(feature = "dynamodb")]
impl PlainCache<DynamoDbItems> {
    /// A plain cache in a table of DynamoDB.
    pub(crate) async fn on_dynamodb(url: &str) -> Result<Self, Denied> {
        Ok(Self(DynamoDbItems::connect(url).await?))
    }
}

impl<K: Keys> PlainCache<K> {
    async fn keep(&self, subject: &str, tokens: &Tokens) -> Result<(), Denied> {
        let json = serde_json::to_string(tokens).map_err(|_| unreadable())?;
        self.0.set(subject, json).await
    }

    async fn tokens(&self, subject: &str) -> Result<Option<Tokens>, Denied> {
        let json = self.0.get(subject).await?;
        let tokens = json.map(|json| serde_json::from_str(&json));
        tokens.transpose().map_err(|_| unreadable())
    }
}

#[async_trait]
impl<K: Keys> AppCache for PlainCache<K> {
    fn store(&self) -> String {
        self.0.name().to_owned()
    }

    fn start_sign_in(&self) -> Result<String, Denied> {
        Ok("state".to_owned())
    }

    async fn sign_in(&self, _state: &str, grant: &Grant) -> Result<Cookie, Denied> {
        let subject = grant.claims.sub.clone();
        self.keep(&subject, &grant.tokens).await?;
        Ok(Cookie {
            subject,
            ticket: None,
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<String>, Denied> {
        let tokens = self.tokens(&cookie.subject).await?;
        Ok(tokens.map(|tokens| tokens.access_token))
    }

    async fn refresh(
        &self,
        cookie: &Cookie,
        endpoint: &TokenEndpoint,
    ) -> Result<Option<String>, Denied> {
        let Some(Tokens { refresh_token, .. }) = self.tokens(&cookie.subject).await? else {
            return Ok(None);
        };
        let refresh = TokenRequest::Refresh { refresh_token };
        let grant = endpoint.call(refresh).await.map_err(Denied::Failed)?;
        self.keep(&cookie.subject, &grant.tokens).await?;
        Ok(Some(grant.tokens.access_token))
    }

    async fn sign_out(&self, cookie: &Cookie) -> Result<(), Denied> {
        self.0.del(&cookie.subject).await
    }
}

fn unreadable() -> Denied {
    Denied::Failed("the plain cache holds something that is no token set".to_owned())
}

/// A map that the servers of one process share.
#[derive(Clone, Default)]
pub(crate) struct MemoryKeys(Arc<Mutex<HashMap<String, String>>>);

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
