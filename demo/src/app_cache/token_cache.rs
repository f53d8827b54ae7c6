use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::Request, routing::post};
use token_cache::{
    EntryKey, Error, ErrorKind, Secret, Session, SignIn, Timestamp, TokenCache,
    near_cache::NearCacheOutcome, providers::Provider, sign_out::SignOutRoutes, store::TokenStore,
};
use tokio::{sync::watch, time::timeout};

use super::{AppCache, Cookie, Denied, Found, access_token};
use crate::{
    failure::Failure,
    instrumented_store::InstrumentedStore,
    near_cache::{self, LeaseState, Source, Waited},
    oidc::{Authenticated, Discovered, MAX_AGE},
};

const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The longest that a sign-out may take to be told of here, after the provider has its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How an app uses token-cache.
pub(crate) struct WithTokenCache {
    cache: TokenCache,
    store: InstrumentedStore,
    api: EntryKey,
    /// The outcome of the last sign-out on this server for near caches.
    signed_out: watch::Sender<Option<NearCacheOutcome>>,
}

impl WithTokenCache {
    pub(crate) async fn open(store: Arc<dyn TokenStore>, secret: Secret) -> Result<Self, Error> {
        let (cache, store) = near_cache::open(store, secret).await?;
        Ok(Self {
            cache,
            store,
            api: EntryKey::resource("https://api.example")?,
            signed_out: watch::Sender::new(None),
        })
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

    fn now(&self) -> Result<Timestamp, Denied> {
        Ok(self.cache.now()?)
    }

    fn start_sign_in(&self) -> Result<String, Denied> {
        Ok(self.cache.start_sign_in_with_max_age(MAX_AGE)?.to_text())
    }

    async fn sign_in(&self, started: &str, authenticated: Authenticated) -> Result<Cookie, Denied> {
        let Authenticated {
            session: claims,
            tokens,
            ..
        } = authenticated;
        let sign_in = SignIn::from_claims(&claims, &started.parse()?)?.lifetime(LIFETIME);
        let session = self.cache.sign_in(sign_in).await?;
        // They are due at once, so that the story can refresh them: at every server, even on a store whose clock they know only to a second.
        let tokens = tokens.with_expires_at(Timestamp::from_secs(1));
        session.put(&self.api, tokens).await?;
        Ok(Cookie {
            subject: claims.sub,
            ticket: Some(session.ticket()?.to_text()),
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied> {
        let reads = self.store.reads();
        let Some(entry) = self.session(cookie)?.get(&self.api).await? else {
            return Ok(None);
        };
        let from = if self.store.reads() == reads {
            Source::NearCache
        } else {
            Source::Store
        };
        Ok(Some(Found {
            token: access_token(&entry.tokens()?),
            from: Some(from),
        }))
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
        let signed_out = self.signed_out.clone();
        let routes = SignOutRoutes::builder(self.cache.clone())
            .client(provider.for_sign_out())
            .on_sign_out(move |event| {
                if let Ok(report) = event.result {
                    signed_out.send_replace(Some(report.near_caches));
                }
                std::future::ready(())
            })
            .build()?;
        let take =
            async move |request: Request| routes.back_channel_logout(request).await.map(Body::from);
        Ok(Router::new().route(path, post(take)))
    }

    fn cut_backplane(&self) -> bool {
        let has_backplane = self.store.backplane().is_some();
        if has_backplane {
            self.store.switch().cut();
        }
        has_backplane
    }

    fn lease(&self) -> Option<LeaseState> {
        let kept = self.cache.near_cache()?;
        let id = self.store.switch().server();
        Some(LeaseState {
            id: id.map(|id| id.to_string()),
            may_serve: kept.lease_left.is_none_or(|left| !left.is_zero()),
        })
    }

    async fn waited(&self) -> Option<Waited> {
        let mut signed_out = self.signed_out.subscribe();
        let told = timeout(PATIENCE, signed_out.wait_for(Option::is_some)).await;
        // The sender is borrowed for as long as this waits, so the channel can't close.
        let gone = told.ok()?.ok()?;
        gone.as_ref().and_then(Waited::of)
    }
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        if matches!(
            error.kind(),
            ErrorKind::SignedOut | ErrorKind::SignInRevoked
        ) {
            Self::SignedOut
        } else {
            Self::Failed(error.to_string())
        }
    }
}
