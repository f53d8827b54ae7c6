mod plain;
mod token_cache;

use ::token_cache::{ExposeSecret, Timestamp, TokenSet, providers::Provider};
use async_trait::async_trait;
use axum::Router;
use serde::{Deserialize, Serialize};

#[cfg(feature = "dynamodb")]
pub(crate) use self::plain::DynamoDbItems;
#[cfg(feature = "redis")]
pub(crate) use self::plain::RedisKeys;
pub(crate) use self::{
    plain::{Keys, MemoryKeys, PlainCache},
    token_cache::WithTokenCache,
};
use crate::{
    failure::Failure,
    near_cache::{LeaseState, Source, Waited},
    oidc::{Authenticated, Discovered},
};

/// The content of the browser's cookie: the user, and the ticket if the cache has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cookie {
    pub(crate) subject: String,
    pub(crate) ticket: Option<String>,
}

/// An access token and its source.
pub(crate) struct Found {
    pub(crate) token: String,
    /// `None` if the cache keeps no copies.
    pub(crate) from: Option<Source>,
}

/// Why a cache did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Denied {
    SignedOut,
    Failed(String),
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::SignedOut => Self::new("the session has ended"),
            Denied::Failed(message) => Self::new(message),
        }
    }
}

/// The operations of an app server on its token cache. Only the implementations of this trait differ between the two caches.
#[async_trait]
pub(crate) trait AppCache: Send + Sync {
    /// How the store calls itself.
    fn store(&self) -> String;

    /// The time that tokens are stamped with.
    fn now(&self) -> Result<Timestamp, Denied>;

    /// Returns the content of the state cookie, which the browser keeps while it is at the provider.
    fn start_sign_in(&self) -> Result<String, Denied>;

    /// Keeps the tokens of a user who has authenticated.
    async fn sign_in(&self, started: &str, authenticated: Authenticated) -> Result<Cookie, Denied>;

    /// The user's access token, if there is one.
    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied>;

    /// Returns a new access token for the user, whose tokens are due, or `None` if the user has no tokens.
    async fn refresh(&self, cookie: &Cookie, provider: &Provider)
    -> Result<Option<String>, Denied>;

    /// Signs out whom the provider says, at this path.
    async fn back_channel(
        &self,
        provider: &Discovered,
        path: &'static str,
    ) -> Result<Router, Failure>;

    /// Cuts the backplane on which the server receives invalidation messages. Returns `false` if it has no backplane.
    fn cut_backplane(&self) -> bool;

    /// Returns the state of the server's near caches, or `None` if it keeps none.
    fn lease(&self) -> Option<LeaseState>;

    /// Returns what the last sign-out on this server waited for, or `None` if no server keeps copies.
    async fn waited(&self) -> Option<Waited>;
}

pub(crate) fn access_token(tokens: &TokenSet) -> String {
    tokens.access_token().expose_secret().to_owned()
}
