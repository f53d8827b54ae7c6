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
    copies::{Holder, Source, Waited},
    failure::Failure,
    oidc::{Authenticated, Discovered},
};

/// What the browser keeps: who the user is, and whatever the cache wants back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cookie {
    pub(crate) subject: String,
    pub(crate) ticket: Option<String>,
}

/// An access token, and where it was.
pub(crate) struct Found {
    pub(crate) token: String,
    /// None where the cache keeps no copies that it could come from.
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

/// What an app server needs of its token cache: the one place where the two columns differ.
#[async_trait]
pub(crate) trait AppCache: Send + Sync {
    /// How the store calls itself.
    fn store(&self) -> String;

    /// The time that tokens are stamped with.
    fn now(&self) -> Result<Timestamp, Denied>;

    /// What the state cookie carries to the provider and back.
    fn start_sign_in(&self) -> Result<String, Denied>;

    /// Keeps the tokens of a user who has authenticated.
    async fn sign_in(&self, started: &str, authenticated: Authenticated) -> Result<Cookie, Denied>;

    /// The user's access token, if there is one.
    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied>;

    /// A new access token for the user, whose tokens are due; none where there are no tokens.
    async fn refresh(&self, cookie: &Cookie, provider: &Provider)
    -> Result<Option<String>, Denied>;

    /// Signs out whom the provider says, at this path.
    async fn back_channel(
        &self,
        provider: &Discovered,
        path: &'static str,
    ) -> Result<Router, Failure>;

    /// Cuts the link by which the server hears of sign-outs elsewhere; false where it has none.
    fn cut_link(&self) -> bool;

    /// The server as one that keeps local copies; none where it keeps none.
    fn holder(&self) -> Option<Holder>;

    /// What the sign-out that was just carried out here waited for; none where no server keeps copies.
    async fn waited(&self) -> Option<Waited>;
}

pub(crate) fn access_token(tokens: &TokenSet) -> String {
    tokens.access_token().expose_secret().to_owned()
}
