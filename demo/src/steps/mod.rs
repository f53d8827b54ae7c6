//! The steps of the story: an app's work for a signed-in user, with either cache. The story's servers and the web app take them.

mod plain_cache;
mod profile;
mod token_cache;

use std::sync::Arc;

use ::token_cache::{Error, ErrorKind, ExposeSecret, Timestamp, TokenSet, providers::Provider};
use async_trait::async_trait;
use axum::Router;
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use self::{
    plain_cache::PlainCache,
    profile::Profile,
    token_cache::{WithTokenCache, tokens_key},
};
use crate::{
    failure::{Denied, Failure},
    near_cache::{LeaseState, Source, Waited},
    oidc::{Attempt, Authenticated, Discovered, Oidc},
};

/// The content of the browser's cookie: the user, and the ticket if the cache has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cookie {
    pub(crate) subject: String,
    pub(crate) ticket: Option<String>,
}

/// The cookie that the browser keeps while it is at the provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StateCookie {
    /// The moment at which the sign-in started, as the cache wrote it down.
    pub(crate) started: String,
    #[serde(flatten)]
    pub(crate) attempt: Attempt,
}

/// An access token and its source.
pub(crate) struct Found {
    pub(crate) token: String,
    /// `None` if the cache keeps no copies.
    pub(crate) from: Option<Source>,
}

/// The operations of an app server on its token cache. Only the implementations of this trait differ between the two caches.
#[async_trait]
pub(crate) trait AppCache: Send + Sync {
    /// How the store calls itself.
    fn store(&self) -> String;

    /// The time that tokens are stamped with.
    fn now(&self) -> Result<Timestamp, Error>;

    /// Returns the content of the state cookie, which the browser keeps while it is at the provider.
    fn start_sign_in(&self) -> Result<String, Error>;

    /// Keeps the tokens of a user who has authenticated.
    async fn sign_in(&self, started: &str, authenticated: &Authenticated) -> Result<Cookie, Error>;

    /// The user's access token, if there is one.
    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied>;

    /// Returns a new access token for the user, or `None` if the user has no tokens.
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

/// The app as one server runs it, with one of the caches.
pub(crate) struct App<C: ?Sized = dyn AppCache> {
    pub(crate) cache: Arc<C>,
    pub(crate) provider: Arc<Discovered>,
    oidc: Arc<Oidc>,
}

/// A user who has signed in.
pub(crate) struct SignedIn {
    pub(crate) cookie: Cookie,
    pub(crate) authenticated: Authenticated,
}

/// Why a user is not signed in.
pub(crate) enum NotSignedIn {
    /// The provider gave no answer to the code, or one that can't be accepted.
    AtProvider(String),
    /// A sign-out overtook the sign-in of this user.
    Refused { name: String, error: Error },
    /// The cache could not keep the session.
    NotKept(Error),
}

impl<C: AppCache + ?Sized> App<C> {
    /// An app whose users return to this URI.
    pub(crate) fn new(
        cache: Arc<C>,
        provider: Arc<Discovered>,
        redirect_uri: String,
    ) -> Result<Self, Failure> {
        Ok(Self {
            cache,
            oidc: Arc::new(provider.for_server(redirect_uri)?),
            provider,
        })
    }

    /// Returns where the browser goes to sign in, and what it keeps meanwhile. With `anew` the user authenticates in any case.
    pub(crate) fn start_sign_in(&self, anew: bool) -> Result<(Url, StateCookie), Error> {
        let started = self.cache.start_sign_in()?;
        let (url, attempt) = self.oidc.authorization_request(anew);
        Ok((url, StateCookie { started, attempt }))
    }

    /// Exchanges the code, and begins the session. The refresh token of a sign-in that is refused is revoked.
    pub(crate) async fn finish_sign_in(
        &self,
        state: StateCookie,
        code: String,
    ) -> Result<SignedIn, NotSignedIn> {
        let StateCookie { started, attempt } = state;
        let now = self.cache.now().map_err(NotSignedIn::NotKept)?;
        let authenticated = self.oidc.exchange(code, attempt, now).await;
        let authenticated = authenticated.map_err(NotSignedIn::AtProvider)?;
        let error = match self.cache.sign_in(&started, &authenticated).await {
            Ok(cookie) => {
                return Ok(SignedIn {
                    cookie,
                    authenticated,
                });
            }
            Err(error) => error,
        };
        if let Some(refresh_token) = authenticated.tokens.refresh_token() {
            self.oidc.revoke(refresh_token).await;
        }
        Err(match error.kind() {
            ErrorKind::SignedOut | ErrorKind::SignInRevoked => NotSignedIn::Refused {
                name: Profile::of(&authenticated).name,
                error,
            },
            _ => NotSignedIn::NotKept(error),
        })
    }
}

impl<C: ?Sized> Clone for App<C> {
    fn clone(&self) -> Self {
        Self {
            cache: Arc::clone(&self.cache),
            provider: Arc::clone(&self.provider),
            oidc: Arc::clone(&self.oidc),
        }
    }
}

impl From<NotSignedIn> for Denied {
    fn from(failed: NotSignedIn) -> Self {
        match failed {
            NotSignedIn::AtProvider(message) => Self::Failed(message),
            NotSignedIn::Refused { .. } => Self::SignedOut,
            NotSignedIn::NotKept(error) => Self::Failed(error.to_string()),
        }
    }
}

pub(crate) fn access_token(tokens: &TokenSet) -> String {
    tokens.access_token().expose_secret().to_owned()
}
