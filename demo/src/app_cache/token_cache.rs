use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::Request, routing::post};
use token_cache::{
    EntryKey, Error, Session, SignIn, TokenCache, providers::Provider, sign_out::SignOutRoutes,
};

use super::{AppCache, Cookie, Denied, access_token};
use crate::{
    failure::Failure,
    oidc::{Authenticated, Discovered},
};

const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How an app uses token-cache.
pub(crate) struct WithTokenCache {
    cache: TokenCache,
    api: EntryKey,
}

impl WithTokenCache {
    pub(crate) fn new(cache: TokenCache) -> Result<Self, Error> {
        let api = EntryKey::resource("https://api.example")?;
        Ok(Self { cache, api })
    }

    fn session(&self, cookie: &Cookie) -> Result<Session, Denied> {
        let ticket = cookie.ticket.as_deref().unwrap_or_default().parse()?;
        Ok(self.cache.resume_unverified(&ticket)?)
    }
}

#[async_trait]
impl AppCache for WithTokenCache {
    fn store(&self) -> String {
        self.cache.store().to_string()
    }

    fn start_sign_in(&self) -> Result<String, Denied> {
        Ok(self.cache.start_sign_in()?.to_text())
    }

    async fn sign_in(&self, started: &str, authenticated: Authenticated) -> Result<Cookie, Denied> {
        let Authenticated { claims, tokens, .. } = authenticated;
        let sign_in = SignIn::from_claims(&claims, &started.parse()?)?.lifetime(LIFETIME);
        let session = self.cache.sign_in(sign_in).await?;
        // They are due at once, so that the story can refresh them.
        let tokens = tokens.with_expires_at(SystemTime::now().into());
        session.put(&self.api, tokens).await?;
        Ok(Cookie {
            subject: claims.subject().to_string(),
            ticket: Some(session.ticket()?.to_text()),
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<String>, Denied> {
        let Some(entry) = self.session(cookie)?.get(&self.api).await? else {
            return Ok(None);
        };
        Ok(Some(access_token(&entry.tokens()?)))
    }

    async fn refresh(
        &self,
        cookie: &Cookie,
        provider: &Provider,
    ) -> Result<Option<String>, Denied> {
        let session = self.session(cookie)?;
        let tokens = session.get_or_refresh(&self.api, provider.clone()).await?;
        Ok(Some(access_token(&tokens)))
    }

    async fn back_channel(
        &self,
        provider: &Discovered,
        path: &'static str,
    ) -> Result<Router, Failure> {
        let routes = SignOutRoutes::builder(self.cache.clone())
            .client(provider.for_sign_out()?)
            .build()?;
        let take = async move |request: Request| routes.back_channel(request).await.map(Body::from);
        Ok(Router::new().route(path, post(take)))
    }
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        if error.is_signed_out() {
            Self::SignedOut
        } else {
            Self::Failed(error.to_string())
        }
    }
}
