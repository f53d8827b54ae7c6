#[cfg(feature = "dynamodb")]
mod dynamodb_items;
#[cfg(feature = "redis")]
mod redis_keys;
mod verified_logout;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::Request, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};
use token_cache::{
    ExposeSecret, Timestamp, TokenSet,
    providers::Provider,
    refresh::{RefreshRequest, TokenSource},
};
use tokio::sync::Mutex as AsyncMutex;

#[cfg(feature = "dynamodb")]
pub(crate) use self::dynamodb_items::DynamoDbItems;
#[cfg(feature = "redis")]
pub(crate) use self::redis_keys::RedisKeys;
use self::verified_logout::VerifiedLogout;
use super::{AppCache, Cookie, Denied, Found, access_token};
use crate::{
    failure::Failure,
    near_cache::{LeaseState, Waited},
    oidc::{Authenticated, Discovered},
};

/// The operations of a plain cache.
#[async_trait]
pub(crate) trait Keys: Send + Sync {
    fn name(&self) -> &'static str;
    async fn set(&self, key: &str, value: String) -> Result<(), Denied>;
    async fn get(&self, key: &str) -> Result<Option<String>, Denied>;
    async fn del(&self, key: &str) -> Result<(), Denied>;
}

/// How an app uses a plain cache: the user's tokens under the user's name.
pub(crate) struct PlainCache<K>(Arc<K>);

/// The value under a key.
#[derive(Serialize, Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

impl PlainCache<MemoryKeys> {
    /// A plain cache of this process.
    pub(crate) fn in_memory() -> Self {
        Self(Arc::default())
    }
}

#[cfg(feature = "redis")]
impl PlainCache<RedisKeys> {
    /// A plain cache on a Redis server.
    pub(crate) async fn on_redis(url: &str) -> Result<Self, Denied> {
        Ok(Self(Arc::new(RedisKeys::connect(url).await?)))
    }
}

#[cfg(feature = "dynamodb")]
impl PlainCache<DynamoDbItems> {
    /// A plain cache in a table of DynamoDB.
    pub(crate) async fn on_dynamodb(url: &str) -> Result<Self, Denied> {
        Ok(Self(Arc::new(DynamoDbItems::connect(url).await?)))
    }
}

impl<K: Keys> PlainCache<K> {
    async fn keep(&self, subject: &str, tokens: &TokenSet) -> Result<(), Denied> {
        let refresh_token = tokens.refresh_token();
        let tokens = Tokens {
            access_token: access_token(tokens),
            refresh_token: refresh_token
                .map(|token| token.expose_secret().to_owned())
                .unwrap_or_default(),
        };
        let json = serde_json::to_string(&tokens).map_err(|_| unreadable())?;
        self.0.set(subject, json).await
    }

    async fn tokens(&self, subject: &str) -> Result<Option<Tokens>, Denied> {
        let json = self.0.get(subject).await?;
        let tokens = json.map(|json| serde_json::from_str(&json));
        tokens.transpose().map_err(|_| unreadable())
    }
}

#[async_trait]
impl<K: Keys + 'static> AppCache for PlainCache<K> {
    fn store(&self) -> String {
        self.0.name().to_owned()
    }

    /// A plain cache has no clock but the machine's.
    fn now(&self) -> Result<Timestamp, Denied> {
        Ok(Timestamp::from_system_time(SystemTime::now()))
    }

    fn start_sign_in(&self) -> Result<String, Denied> {
        Ok("nothing to remember".to_owned())
    }

    async fn sign_in(
        &self,
        _started: &str,
        authenticated: Authenticated,
    ) -> Result<Cookie, Denied> {
        let subject = authenticated.claims.subject().to_string();
        self.keep(&subject, &authenticated.tokens).await?;
        Ok(Cookie {
            subject,
            ticket: None,
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied> {
        let tokens = self.tokens(&cookie.subject).await?;
        Ok(tokens.map(|tokens| Found {
            token: tokens.access_token,
            from: None,
        }))
    }

    async fn refresh(
        &self,
        cookie: &Cookie,
        provider: &Provider,
    ) -> Result<Option<String>, Denied> {
        let Some(tokens) = self.tokens(&cookie.subject).await? else {
            return Ok(None);
        };
        let old = TokenSet::new(tokens.access_token)?.with_refresh_token(tokens.refresh_token);
        let request =
            RefreshRequest::new(Some(old), Timestamp::from_system_time(SystemTime::now()));
        let refreshed = provider.refresh(request).await;
        let refreshed = refreshed.map_err(|error| Denied::Failed(error.to_string()))?;
        self.keep(&cookie.subject, &refreshed).await?;
        Ok(Some(access_token(&refreshed)))
    }

    async fn back_channel(
        &self,
        provider: &Discovered,
        path: &'static str,
    ) -> Result<Router, Failure> {
        let verified = Arc::new(AsyncMutex::new(VerifiedLogout::of(provider).await?));
        let keys = Arc::clone(&self.0);
        let take = async move |request: Request| {
            let (answer, subject) = verified.lock().await.take(request).await;
            let deleted = match subject {
                Some(subject) => keys.del(&subject).await,
                None => Ok(()),
            };
            match deleted {
                Ok(()) => answer.map(Body::from),
                Err(_) => unavailable(),
            }
        };
        Ok(Router::new().route(path, post(take)))
    }

    fn cut_backplane(&self) -> bool {
        false
    }

    fn lease(&self) -> Option<LeaseState> {
        None
    }

    async fn waited(&self) -> Option<Waited> {
        None
    }
}

fn unavailable() -> axum::response::Response {
    let mut answer = axum::response::Response::default();
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
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
