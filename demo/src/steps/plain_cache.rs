use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{Response, StatusCode},
    response::IntoResponse,
    routing::post,
};
use serde::{Deserialize, Serialize};
use token_cache::{
    Error, ErrorKind, ExposeSecret, MemoryStore, Secret, Timestamp, TokenCache, TokenSet,
    providers::Provider,
    refresh::{RefreshRequest, TokenSource},
    sign_out::SignOutRoutes,
};
use tokio::sync::{
    Mutex as AsyncMutex,
    mpsc::{UnboundedReceiver, unbounded_channel},
};

use super::{AppCache, Cookie, Found, access_token};
use crate::{
    failure::{Denied, Failure},
    near_cache::{LeaseState, Waited},
    oidc::{Authenticated, Discovered},
    plain_cache::Keys,
};

/// How an app uses a plain cache: the user's tokens under the user's name.
pub(crate) struct PlainCache(pub(crate) Arc<dyn Keys>);

/// The value under a key.
#[derive(Serialize, Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

impl PlainCache {
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
impl AppCache for PlainCache {
    fn store(&self) -> String {
        self.0.name().to_owned()
    }

    /// A plain cache has no clock but the machine's.
    fn now(&self) -> Result<Timestamp, Error> {
        Ok(Timestamp::from_system_time(SystemTime::now()))
    }

    fn start_sign_in(&self) -> Result<String, Error> {
        Ok("nothing to remember".to_owned())
    }

    async fn sign_in(
        &self,
        _started: &str,
        authenticated: &Authenticated,
    ) -> Result<Cookie, Error> {
        let subject = authenticated.claims.subject().to_string();
        let kept = self.keep(&subject, &authenticated.tokens).await;
        kept.map_err(|denied| {
            let message = Failure::from(denied).to_string();
            Error::new(ErrorKind::Unavailable, "sign in").message(message)
        })?;
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
                Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
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

fn unreadable() -> Denied {
    Denied::Failed("the plain cache holds something that is no token set".to_owned())
}

/// Verifies logout tokens for a cache that is not token-cache: the routes do it, have nothing of their own to end, and tell whom it
/// was about.
struct VerifiedLogout {
    routes: SignOutRoutes,
    subjects: UnboundedReceiver<Option<String>>,
}

impl VerifiedLogout {
    async fn of(provider: &Discovered) -> Result<Self, Failure> {
        let nothing = TokenCache::builder(MemoryStore::new()).secret(Secret::random()?);
        let (told, subjects) = unbounded_channel();
        let routes = SignOutRoutes::builder(nothing.open().await?)
            .client(provider.for_sign_out())
            .on_sign_out(move |event| {
                let subject = event.account.map(|account| account.subject().to_owned());
                // The receiver is gone after the server has ended.
                let _ = told.send(subject);
                std::future::ready(())
            })
            .build()?;
        Ok(Self { routes, subjects })
    }

    /// The answer to a logout token, and whom it names if it is genuine.
    async fn take(&mut self, request: Request) -> (Response<Bytes>, Option<String>) {
        let answer = self.routes.back_channel_logout(request).await;
        let subject = if answer.status().is_success() {
            self.subjects.recv().await.flatten()
        } else {
            None
        };
        (answer, subject)
    }
}
