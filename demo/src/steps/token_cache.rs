use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, body::Body, extract::Request, routing::post};
use token_cache::{
    EntryKey, Error, ErrorKind, Result, Secret, Session, SignIn, Timestamp, TokenCache, TokenSet,
    near_cache::NearCacheOutcome,
    providers::Provider,
    refresh::TokenSource,
    sign_out::{SignOutRoutes, id_token_key},
    store::TokenStore,
};
use tokio::{sync::watch, time::timeout};

use super::{AppCache, Cookie, Found, Profile, access_token};
use crate::{
    failure::{Denied, Failure},
    instrumented_store::InstrumentedStore,
    near_cache::{self, LeaseState, Source, Waited},
    oidc::{Authenticated, Discovered, MAX_AGE},
};

/// The longest that a sign-out may take to be told of here, after the provider has its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How an app uses token-cache.
pub(crate) struct WithTokenCache {
    pub(crate) cache: TokenCache,
    /// The store of the cache.
    pub(crate) store: InstrumentedStore,
    /// The lifetime of a session without a sign-out.
    lifetime: Duration,
    /// The outcome of the last sign-out on this server for near caches.
    signed_out: watch::Sender<Option<NearCacheOutcome>>,
}

impl WithTokenCache {
    pub(crate) async fn open(
        store: Arc<dyn TokenStore>,
        secret: Secret,
        lifetime: Duration,
    ) -> Result<Self> {
        let (cache, store) = near_cache::open(store, secret).await?;
        Ok(Self {
            cache,
            store,
            lifetime,
            signed_out: watch::Sender::new(None),
        })
    }

    fn session(&self, cookie: &Cookie) -> Result<Session> {
        let ticket = cookie.ticket.as_deref().unwrap_or_default().parse()?;
        self.cache.resume_unverified(&ticket)
    }

    /// Reads a user's tokens, and says where they were. Of two at a time, either may be taken for one that asked the store.
    pub(crate) async fn reading<T, E>(
        &self,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Source), E> {
        let before = self.store.reads();
        let found = read.await?;
        let source = if self.store.reads() == before {
            Source::NearCache
        } else {
            Source::Store
        };
        Ok((found, source))
    }

    /// Refreshes a session's tokens, whether or not they are due: tokens that are due are refreshed, so they are made so.
    pub(crate) async fn refresh_now(
        &self,
        session: &Session,
        source: impl TokenSource,
    ) -> Result<TokenSet> {
        let key = tokens_key()?;
        if let Some(entry) = session.get(&key).await? {
            // They are due at every server, even on a store whose clock it knows only to a second.
            let due = entry.tokens()?.with_expires_at(Timestamp::from_secs(1));
            if due.refresh_token().is_none() {
                return Err(
                    Error::new(ErrorKind::NotRefreshable, "refresh a user's tokens")
                        .message("the provider gave no refresh token"),
                );
            }
            session.put(&key, due).await?;
        }
        session.get_or_refresh(&key, source).await
    }
}

#[async_trait]
impl AppCache for WithTokenCache {
    fn store(&self) -> String {
        self.cache.store().to_string()
    }

    fn now(&self) -> Result<Timestamp> {
        self.cache.now()
    }

    fn start_sign_in(&self) -> Result<String> {
        Ok(self.cache.start_sign_in_with_max_age(MAX_AGE)?.to_text())
    }

    async fn sign_in(&self, started: &str, authenticated: &Authenticated) -> Result<Cookie> {
        let sign_in = SignIn::from_claims(&authenticated.session, &started.parse()?)?;
        let session = self.cache.sign_in(sign_in.lifetime(self.lifetime)).await?;
        Profile::of(authenticated).put(&session).await?;
        session.put(&tokens_key()?, &authenticated.tokens).await?;
        session
            .put(&id_token_key()?, authenticated.id_token.as_bytes())
            .await?;
        Ok(Cookie {
            subject: authenticated.session.sub.clone(),
            ticket: Some(session.ticket()?.to_text()),
        })
    }

    async fn read(&self, cookie: &Cookie) -> Result<Option<Found>, Denied> {
        let session = self.session(cookie)?;
        let (entry, source) = self.reading(session.get(&tokens_key()?)).await?;
        let Some(entry) = entry else {
            return Ok(None);
        };
        Ok(Some(Found {
            token: access_token(&entry.tokens()?),
            from: Some(source),
        }))
    }

    async fn refresh(
        &self,
        cookie: &Cookie,
        provider: &Provider,
    ) -> Result<Option<String>, Denied> {
        let session = self.session(cookie)?;
        let tokens = self.refresh_now(&session, provider.clone()).await?;
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

/// Returns the key of the entry with the tokens that the user's API is called with.
pub(crate) fn tokens_key() -> Result<EntryKey> {
    EntryKey::resource("https://api.example")
}
